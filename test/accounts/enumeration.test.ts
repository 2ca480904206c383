import { hash } from "@node-rs/argon2";
import { OWASP_COST, sqliteAccounts } from "jwt-extended/accounts";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADAPTERS } from "../support/harness/types.ts";
import type { Answer } from "../support/http.ts";
import { bearer, PASSWORD, type Pair, type Running, startAccounts } from "./server.ts";

const WRONG = "wrong password";
/** All of an answer but the moment of its making. */
const bytes = ({ status, headers, text }: Answer): unknown => [
  status,
  headers.filter(([name]) => name.toLowerCase() !== "date"),
  text,
];

describe.each(ADAPTERS)("what a login tells through %s", (adapter) => {
  it("is the same to the byte for unknown users, wrong passwords and disabled accounts", async () => {
    const server = await startAccounts({ adapter });
    const root = bearer(await server.admin());
    await server.register("known");
    const { access_token } = (await server.register("disabled")) as Pair;
    const { sub } = await server.manager.decodeToken(access_token);
    expect((await server.ask("POST", `/admin/users/${sub}/disable`, root)).status).toBe(204);
    const wrong = await server.login("known", WRONG);
    expect(wrong.text).toBe('{"code":"invalid_credentials","msg":"Wrong username or password"}');
    expect(wrong.header("www-authenticate")).toEqual(["Bearer"]);
    const others = [
      await server.login("unknown", WRONG),
      await server.login("no name at all", WRONG),
      await server.login("", WRONG),
      await server.login("x".repeat(10_000), WRONG),
      await server.login("' OR 1=1 --", WRONG),
      await server.login("known", ""),
      await server.login("known", "1234"),
      await server.login("disabled", WRONG),
      await server.login("disabled", PASSWORD),
      await server.login("known", WRONG),
    ];
    for (const other of others) expect(bytes(other)).toEqual(bytes(wrong));
    const tooLong = await server.login("known", "x".repeat(1025));
    expect(bytes(await server.login("unknown", "x".repeat(1025)))).toEqual(bytes(tooLong));
    await server.close();
  });
});

describe("the time that a login takes", () => {
  const database = new Database(":memory:");
  let server: Running;
  let ofHash = 0;
  beforeAll(async () => {
    server = await startAccounts({ accounts: { tables: sqliteAccounts({ database }), passwords: {} } });
    await server.register("known");
    await server.register("disabled");
    await server.register("older");
    database.prepare("UPDATE jx_users SET disabled = 1 WHERE name = 'disabled'").run();
    const old = await hash(PASSWORD, { memoryCost: 8_192, timeCost: 1, parallelism: 1 });
    database.prepare("UPDATE jx_users SET password_hash = ? WHERE name = 'older'").run(old);
    const begin = performance.now();
    for (let i = 0; i < 5; i++) await hash(WRONG, OWASP_COST);
    ofHash = (performance.now() - begin) / 5;
  });
  afterAll(() => server.close());

  const time = async (name: string, password: string): Promise<number> => {
    const begin = performance.now();
    await server.login(name, password);
    return performance.now() - begin;
  };
  const quartile = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length / 4)] as number;

  /**
   * By how much two logins differ, as a share of the hash. Interleaved, and by the quicker quarter: whatever else runs on
   * this machine only ever makes a measurement longer.
   */
  async function difference(one: () => Promise<number>, other: () => Promise<number>, rounds: number): Promise<number> {
    const [ones, others]: [number[], number[]] = [[], []];
    for (let i = 0; i < rounds; i++) {
      const isFirst = i % 2 === 0;
      if (isFirst) ones.push(await one());
      others.push(await other());
      if (!isFirst) ones.push(await one());
    }
    return Math.abs(quartile(ones) - quartile(others)) / ofHash;
  }

  /** The smallest of a few differences: a machine that is busy elsewhere may spoil one of them, a leak shows in all. */
  async function least(one: () => Promise<number>, other: () => Promise<number>): Promise<number> {
    let smallest = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 12 && smallest >= 0.05; tries++)
      smallest = Math.min(smallest, await difference(one, other, 40));
    return smallest;
  }

  it.each([
    ["a wrong password", "known", WRONG],
    ["a disabled account", "disabled", PASSWORD],
    ["a hash with older parameters", "older", WRONG],
    ["a name that is none", "no name at all", WRONG],
  ])(
    "for %s is that for an unknown user, within 5 percent of the hash",
    { timeout: 120_000 },
    async (_, name, password) => {
      const share = await least(
        () => time("unknown", WRONG),
        () => time(name, password),
      );
      console.info(`${name}: ${(share * 100).toFixed(1)} percent of ${ofHash.toFixed(1)} ms`);
      expect(share).toBeLessThan(0.05);
    },
  );

  it("for a password that is too long is next to nothing, whoever is meant", async () => {
    const long = "x".repeat(1025);
    for (const name of ["known", "unknown"]) {
      const all: number[] = [];
      for (let i = 0; i < 8; i++) all.push(await time(name, long));
      expect(quartile(all)).toBeLessThan(ofHash / 2);
    }
  });
});
