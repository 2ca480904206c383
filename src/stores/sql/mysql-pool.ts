import type { Row } from "./engine.ts";
import { parametersOf } from "./statement.ts";

/** What is needed of a pool of connections: those of `mysql2` and of `mysql2/promise` have it. */
export type MysqlPool = MysqlCallbackPool | { readonly pool: MysqlCallbackPool };

/** A pool that calls back, as that of `mysql2` does. */
export interface MysqlCallbackPool {
  // biome-ignore lint/suspicious/noExplicitAny: the connection is the driver's
  getConnection(callback: (error: any, connection: any) => void): void;
}

interface Connection {
  query(statement: object, callback: Callback): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
  release(): void;
  destroy(): void;
}

type Callback = (error: Fault | null, rows?: unknown) => void;

/** What the driver says of an error; `errno` is the number of the server where the server found it. */
export interface Fault {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly message?: unknown;
}

const ignore = (): void => {};
const heard = new WeakSet<object>();

/** Listens to the errors of a connection: the pool hears the first, and a second ends the process where nobody does. */
function hear(connection: Connection): void {
  if (heard.has(connection)) return;
  heard.add(connection);
  connection.on("error", ignore);
}

/**
 * What comes next on the connection sees all that is committed, whatever the defaults of the server are. It is refused
 * where the connection was given back to the pool inside of a transaction: there all that is read may be long past.
 */
const FRESH = "set transaction isolation level read committed, read write";

/** What must not fail on a connection that is used again: it would keep a transaction, or the lock of all. */
const ENDS = /^(set transaction|commit|rollback|select release_lock)\b/;

/** Rows come as objects, however the pool is set. */
const PLAIN = { typeCast: true, rowsAsArray: false, nestTables: false } as const;

/** What a server says to a write that is a replica, or has become one. */
const READ_ONLY: readonly unknown[] = [1290, 1792, 1836];

/** Whether the connection leads to a replica: another one may lead to the primary, after a failover. */
const isReplica = (error: Fault | null, rows: unknown): boolean =>
  error ? READ_ONLY.includes(error.errno) : Array.isArray(rows) && (rows[0] as Row | undefined)?.m_primary === 0;

/**
 * Text goes as bytes, which the driver writes as digits: in what it quotes, a backslash counts or not by the mode of the
 * server, and some letters are lost in the character set of the connection.
 */
const bound = (parameters: readonly unknown[]): unknown[] =>
  parametersOf(parameters).map((value) => (typeof value === "string" ? Buffer.from(value) : value));

/** A pool whose connections are fresh when they are handed out, and are not given back after they failed. */
export function guardedPool(given: MysqlPool) {
  const pool = "pool" in given ? given.pool : given;
  return {
    getConnection(callback: (error: Fault | null, connection?: ReturnType<typeof guarded>) => void): void {
      pool.getConnection((error: Fault | null, found: Connection) => {
        if (error) return callback(error);
        hear(found);
        const connection = guarded(found);
        connection.query(FRESH, [], (fault) => {
          if (!fault) return callback(null, connection);
          connection.release();
          callback(fault);
        });
      });
    },
    end: (callback: Callback): void => callback(null),
  };
}

function guarded(connection: Connection) {
  let isBroken = false;
  return {
    query(text: string, parameters: readonly unknown[], callback: Callback): void {
      connection.query({ ...PLAIN, sql: text, values: bound(parameters) }, (error, rows) => {
        if ((error && ENDS.test(text)) || isReplica(error, rows)) isBroken = true;
        callback(error, rows);
      });
    },
    release(): void {
      if (isBroken) connection.destroy();
      else connection.release();
    },
  };
}
