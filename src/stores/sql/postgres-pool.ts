import { faultOf, type Row } from "./engine.ts";
import { parametersOf, type Statement, type Values } from "./statement.ts";

/** What is needed of a pool of connections: that of `pg` has it. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  /** What the pool makes its connections of. Without it nobody is called back when the feed grows. */
  readonly Client?: new (
    // biome-ignore lint/suspicious/noExplicitAny: the options are the pool's own
    options: any,
  ) => PostgresListener;
  readonly options?: object;
  readonly ending?: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: listeners of the two events take different things
  on?(event: "error" | "acquire", listener: (about: any) => void): unknown;
}

/** A connection that is checked out of the pool. */
export interface PostgresClient {
  // biome-ignore lint/suspicious/noExplicitAny: the parameters of any statement
  query(statement: string | NamedQuery, parameters?: any[]): Promise<Answer>;
  release(destroy?: boolean): void;
  on?(event: "error", listener: (error: Error) => void): unknown;
  removeListener?(event: "error", listener: (error: Error) => void): unknown;
}

interface Answer {
  readonly command: string;
  readonly rowCount: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: the rows of any statement
  readonly rows: any[];
}

/** A statement that the server keeps prepared for the connection. */
interface NamedQuery {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** A connection of its own, outside the pool, that hears of notifications. */
export interface PostgresListener {
  connect(): Promise<unknown>;
  query(statement: string): Promise<unknown>;
  end(): Promise<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: listeners of the events take different things
  on(event: "error" | "end" | "notification", listener: (about?: any) => void): unknown;
  unref(): void;
}

const ignore = (): void => {};
const heard = new WeakSet<object>();

/**
 * Listens to the errors of a pool and of its connections. A connection is heard from the event on, not from the answer
 * of `connect()`: that comes a moment after the pool stopped listening, and a server that goes down speaks in between.
 */
function hear(pool: PostgresPool): void {
  if (heard.has(pool)) return;
  heard.add(pool);
  pool.on?.("error", ignore);
  pool.on?.("acquire", (client: PostgresClient) => {
    if (heard.has(client)) return;
    heard.add(client);
    client.on?.("error", ignore);
  });
}

/**
 * A pool whose lost connections end calls and not the process: `pg` also emits them as `error`, which kills a process
 * where nobody listens. A connection that failed, or that may still be inside a transaction, is not given back for use.
 */
export function guardedPool(pool: PostgresPool) {
  hear(pool);
  return {
    async connect() {
      const client = await pool.connect();
      let broken = false;
      const fail = (): void => {
        broken = true;
      };
      client.on?.("error", fail);
      return {
        async query(statement: string | NamedQuery, parameters?: readonly unknown[]) {
          try {
            return await client.query(statement, parameters && parametersOf(parameters));
          } catch (error) {
            if (statement === "rollback" || statement === "commit") broken = true;
            throw error;
          }
        },
        release(): void {
          client.removeListener?.("error", fail);
          client.release(broken);
        },
      };
    },
    end: async (): Promise<void> => {},
  };
}

/**
 * What says that a prepared statement is not there, or is there already, or no longer answers what it did: connections
 * are shared by a pooler in transaction mode, or the tables have changed. Nothing was done.
 */
const UNPREPARED = /^(26000|42P05|0A000)$/;

/**
 * Runs statements by themselves, each prepared once for a connection, which spares the server more than half of the work;
 * where that proves impossible they are sent as a whole from then on.
 */
export function statementsOf(pool: PostgresPool): (statement: Statement, values: Values) => Promise<Row | undefined> {
  const guarded = guardedPool(pool);
  let isPrepared = true;
  return async ({ name, text, parameters }, given) => {
    const client = await guarded.connect();
    try {
      const values = parametersOf(parameters, given);
      if (isPrepared) {
        try {
          return (await client.query({ name, text, values })).rows[0];
        } catch (error) {
          if (!UNPREPARED.test(faultOf(error).code)) throw error;
          isPrepared = false;
        }
      }
      return (await client.query(text, values)).rows[0];
    } finally {
      client.release();
    }
  };
}
