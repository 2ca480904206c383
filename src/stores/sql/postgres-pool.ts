/** What is needed of a pool of connections: that of `pg` has it. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  // biome-ignore lint/suspicious/noExplicitAny: listeners of the two events take different things
  on?(event: "error" | "acquire", listener: (about: any) => void): unknown;
}

/** A connection that is checked out of the pool. */
export interface PostgresClient {
  // biome-ignore lint/suspicious/noExplicitAny: the rows of any statement
  query(statement: string, parameters: any[]): Promise<{ command: string; rowCount: number | null; rows: any[] }>;
  release(destroy?: boolean): void;
  on?(event: "error", listener: (error: Error) => void): unknown;
  removeListener?(event: "error", listener: (error: Error) => void): unknown;
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
        async query(statement: string, parameters: readonly unknown[]) {
          try {
            return await client.query(statement, [...parameters]);
          } catch (error) {
            if (/^(rollback|commit)$/.test(statement)) broken = true;
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
