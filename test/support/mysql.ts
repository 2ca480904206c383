import { createPool, type Pool, type PoolOptions } from "mysql2/promise";
import { hasMysql, type MysqlServer, mysqlUser, startMysql } from "../../scripts/faults/mysql-server.ts";
import { mysqlStore } from "../../src/stores/mysql.ts";

export { hasMysql };

/** A server of a test, which makes pools that end with it. */
export interface MysqlLab extends MysqlServer {
  /** Where it is, as in `DATABASE_URL`. */
  readonly url: string;
  /** @param settings what each connection is told first, such as `{ tx_isolation: "'SERIALIZABLE'" }` */
  pool(settings?: Readonly<Record<string, string>>, options?: PoolOptions): Pool;
  /** Answers the prefix of new tables, which are copied from those made first: that takes a fifth of the time. */
  tables(): Promise<string>;
}

/** What makes and changes tables quickly: nothing here has to outlive the machine. */
const HASTY = ["--debug-no-sync", "--sync-frm=0", "--innodb-doublewrite=0"];
const LIGHT = ["--innodb-file-per-table=0", "--innodb-stats-persistent=0"];

/** Starts a server whose data are gone with it. */
export async function openMysql(...more: readonly string[]): Promise<MysqlLab> {
  const server = await startMysql(...HASTY, ...LIGHT, ...more);
  const pools: Pool[] = [];
  let first: Promise<readonly string[]> | undefined;
  let prefixes = 0;
  const migrated = async (): Promise<readonly string[]> => {
    const pool = createPool({ ...mysqlUser, port: server.port });
    await mysqlStore({ pool, tablePrefix: "first_" }).migrate();
    await pool.end();
    const rows = await server.ask(
      "select table_name as name from information_schema.tables where table_name like 'first%'",
    );
    return rows.map(({ name }) => String(name));
  };
  return {
    ...server,
    url: `mysql://${mysqlUser.user}@${mysqlUser.host}:${server.port}/${mysqlUser.database}`,
    async tables() {
      const prefix = `p${++prefixes}_`;
      first ??= migrated();
      const copies = (await first).map((name) => `create table ${name.replace("first_", prefix)} like ${name}`);
      const version = `insert into ${prefix}migrations select * from first_migrations`;
      await server.ask([...copies, version].join(";"));
      return prefix;
    },
    pool(settings = {}, options = {}) {
      const pool = createPool({ ...mysqlUser, port: server.port, connectTimeout: 5_000, ...options });
      pools.push(pool);
      const words = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
      // Commands wait in line: this one comes before all that the connection is used for.
      if (words.length > 0) pool.pool.on("connection", (connection) => connection.query(`set session ${words}`));
      return pool;
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.end().catch(() => {})));
      await server.close();
    },
  };
}
