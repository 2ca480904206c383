import { type RawBuilder, sql } from "kysely";
import { type Database, type Engine, first, type Row } from "../../stores/sql/engine.ts";
import { given } from "../../stores/sql/statement.ts";
import type { UserRecord, UserStore } from "../users.ts";
import { isDuplicate } from "./dialects.ts";
import type { AccountRunner } from "./runner.ts";
import type { AccountNames } from "./tables.ts";

const COLUMNS = sql`id, name, password_hash, roles, disabled, version, pending, created_at`;

/** Users in one table. */
export function sqlUsers(runner: AccountRunner, engine: Engine, { users }: AccountNames): Required<UserStore> {
  const select = (where: RawBuilder<unknown>): RawBuilder<unknown> =>
    sql`select ${COLUMNS} from ${users} where ${where}`;
  const find = async (db: Database, where: RawBuilder<unknown>): Promise<UserRecord | undefined> => {
    const row = await first(select(where), db);
    return row && userOf(row);
  };
  const findBy = (column: string) => {
    const read = runner.reading(select(sql`${sql.id(column)} = ${given("wanted")}`));
    return async (wanted: string): Promise<UserRecord | undefined> => {
      const row = await read({ wanted });
      return row && userOf(row);
    };
  };
  return {
    byId: findBy("id"),
    byName: findBy("name"),
    change: (user, changes) =>
      runner.change(async (db) => {
        const now = await find(db, sql`id = ${user.id} ${engine.forUpdate}`);
        if (!now) return false;
        const wanted = { ...now, ...changes };
        if (now.version !== user.version) {
          // Our own change, whose answer was lost on the way; or that of somebody who wanted the same.
          return now.version === user.version + 1 && sameUser(now, wanted);
        }
        await sql`update ${users} set password_hash = ${wanted.passwordHash}, roles = ${JSON.stringify(wanted.roles)},
          disabled = ${Number(wanted.disabled)}, pending = 1, version = version + 1 where id = ${user.id}`.execute(db);
        return true;
      }),
    settle: (id, version) =>
      runner.ask(async (db) => {
        await sql`update ${users} set pending = 0 where id = ${id} and version = ${version}`.execute(db);
      }),
    rehash: (user, passwordHash) =>
      runner.ask(async (db) => {
        await sql`update ${users} set password_hash = ${passwordHash}
          where id = ${user.id} and password_hash = ${user.passwordHash}`.execute(db);
      }),
    async add(user, unlessHeld) {
      const add = async (db: Database): Promise<boolean> => {
        const held = unlessHeld === undefined ? undefined : await first(holders(users, unlessHeld), db);
        // It may be our own row, whose answer was lost on the way.
        if (held) return held.id === user.id;
        await insert(users, user).execute(db);
        return true;
      };
      try {
        return await (unlessHeld === undefined ? runner.ask(add) : runner.changeAlone(add));
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        return (await runner.ask((db) => find(db, sql`name = ${user.name}`)))?.id === user.id;
      }
    },
    remove: (id) =>
      runner.ask(async (db) => {
        await sql`delete from ${users} where id = ${id}`.execute(db);
      }),
    list: (after, limit) =>
      runner.ask(async (db) => {
        const rest = after === undefined ? sql`1 = 1` : sql`name > ${after}`;
        const { rows } = await sql`${select(rest)} order by name limit ${limit}`.execute(db);
        return (rows as Row[]).map(userOf);
      }),
  };
}

function insert(users: RawBuilder<unknown>, user: UserRecord): RawBuilder<unknown> {
  return sql`insert into ${users} (${COLUMNS}) values (${user.id}, ${user.name}, ${user.passwordHash},
    ${JSON.stringify(user.roles)}, ${Number(user.disabled)}, ${user.version}, ${Number(user.pending)}, ${user.createdAt})`;
}

/** One user who holds a role and may use it. */
export function holders(users: RawBuilder<unknown>, role: string): RawBuilder<unknown> {
  // Roles are plain words: of the signs that `like` knows only the underscore occurs in them.
  const pattern = `%"${role.replaceAll("_", "!_")}"%`;
  return sql`select id from ${users} where disabled = 0 and roles like ${pattern} escape '!' limit 1`;
}

function userOf(row: Row): UserRecord {
  return {
    id: String(row.id),
    name: String(row.name),
    passwordHash: String(row.password_hash),
    roles: JSON.parse(String(row.roles)) as readonly string[],
    disabled: Number(row.disabled) !== 0,
    version: Number(row.version),
    pending: Number(row.pending) !== 0,
    createdAt: Number(row.created_at),
  };
}

function sameUser(one: UserRecord, other: UserRecord): boolean {
  const facts = ({ passwordHash, roles, disabled }: UserRecord): string =>
    JSON.stringify([passwordHash, roles, disabled]);
  return facts(one) === facts(other);
}
