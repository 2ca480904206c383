import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodeSqliteDatabase, type NodeSqliteStatement, sqliteStore } from "jwt-extended/sqlite";
import { storeContract } from "jwt-extended/testing";
import Database from "libsql";
import { afterAll, describe, expect, it, test } from "vitest";
import { readable } from "../../src/stores/sql/sqlite-node.ts";

type Open = (file: string) => NodeSqliteDatabase;

/** Bytes come from node:sqlite as plain arrays of bytes, and rows without a prototype. */
function plain(row: Record<string, unknown>): object {
  const cells = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof ArrayBuffer ? new Uint8Array(value) : value,
  ]);
  return Object.assign(Object.create(null), Object.fromEntries(cells));
}

/** Parameters stand one by one in calls of node:sqlite; a list would be names of parameters there. */
function single(parameters: readonly unknown[]): readonly unknown[] {
  if (parameters.some((value) => Array.isArray(value))) throw new TypeError("a list is no parameter");
  return parameters;
}

/** Looks like a database of node:sqlite, and works by libsql. */
function standIn(columns: boolean): Open {
  return (file) => {
    const database = new Database(file);
    return {
      exec: (statement) => database.exec(statement),
      close: () => database.close(),
      prepare(text): NodeSqliteStatement {
        const statement = database.prepare(text);
        return {
          all: (...parameters) => (statement.all(single(parameters)) as Record<string, unknown>[]).map(plain),
          run: (...parameters) => statement.run(single(parameters)),
          ...(columns ? { columns: () => (statement.reader ? statement.columns() : []) } : {}),
        };
      },
    };
  };
}

const builtin = (process as { getBuiltinModule?: (name: string) => unknown }).getBuiltinModule?.("node:sqlite") as
  | { DatabaseSync: new (file: string) => NodeSqliteDatabase }
  | undefined;

const folder = mkdtempSync(join(tmpdir(), "jx-node-sqlite-"));
const opened: NodeSqliteDatabase[] = [];
let files = 0;
afterAll(() => {
  for (const database of opened) database.close();
  rmSync(folder, { recursive: true, force: true });
});

function keepsTheContract(open: Open): void {
  const cases = storeContract(async (clock) => {
    const database = open(join(folder, `${++files}.db`));
    opened.push(database);
    const store = sqliteStore({ database, clock });
    await store.migrate();
    return store;
  });
  for (const { name, run } of cases) test(name, run);

  it("waits for another writer, and gives up in time", async () => {
    const name = join(folder, `${++files}.db`);
    const [database, other] = [open(name), open(name)];
    opened.push(database, other);
    const store = sqliteStore({ database });
    const end = () => store.revoke({ kind: "everything", until: Number.POSITIVE_INFINITY });
    await end();
    other.exec("begin immediate");
    setTimeout(() => other.exec("rollback"), 200);
    await end();
    other.exec("begin immediate");
    await expect(end()).rejects.toThrow(/locked/);
    other.exec("rollback");
    await end();
  });
}

describe("what looks like node:sqlite and tells columns", () => keepsTheContract(standIn(true)));
describe("what looks like node:sqlite and tells nothing", () => keepsTheContract(standIn(false)));
// Whether there is one is up to the release of Node, not to the machine: nothing is skipped.
if (builtin) {
  const { DatabaseSync } = builtin;
  describe("node:sqlite", () => keepsTheContract((file) => new DatabaseSync(file)));
}

describe("whether a statement answers rows", () => {
  const silent: NodeSqliteStatement = { all: () => [], run: () => ({ changes: 0, lastInsertRowid: 0 }) };
  it.each([
    ["select 1", true],
    ["with a as (select 1) select * from a", true],
    ["PRAGMA journal_mode", true],
    ["insert into a values (1) returning *", true],
    ["insert into a values (1)", false],
    ["update a set b = 1", false],
    ["create table returned (a)", false],
  ])("%s: %s", (statement, answers) => {
    expect(readable(silent, statement).reader).toBe(answers);
  });
  it("is asked of the driver where it knows", () => {
    expect(readable({ ...silent, columns: () => [] }, "with a as (select 1) delete from b").reader).toBe(false);
    expect(readable({ ...silent, columns: () => ["b"] }, "delete from b").reader).toBe(true);
    expect(readable({ ...silent, reader: true }, "delete from b").reader).toBe(true);
  });
});
