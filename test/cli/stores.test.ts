import { existsSync } from "node:fs";
import { join } from "node:path";
import { JWTManager, type TokenStore } from "jwt-extended";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Settings } from "../../src/auth-server/settings.ts";
import { openStores } from "../../src/auth-server/stores.ts";
import { hasMysql, openMysql } from "../support/mysql.ts";
import { POSTGRES, startPostgres } from "../support/postgres.ts";
import { hasRedis, startRedis } from "../support/redis.ts";
import { available } from "../support/require.ts";
import { command, temporaryFolder } from "./command.ts";

const SECRET = "k7Jx-a-marker-secret-of-this-test-file-Q2v";

/** What the commands are told, and how the test opens the same. */
interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly settings: Pick<Settings, "database" | "redisUrl">;
  /** Ends its server, so that nobody answers any more. */
  stop(): Promise<unknown>;
}

const inFile = (): Pick<Settings, "database"> => ({
  database: { kind: "sqlite", file: join(temporaryFolder(), "auth.db") },
});
const fileOf = ({ database }: Pick<Settings, "database">): string => (database.kind === "sqlite" ? database.file : "");

const PLACES: Readonly<Record<string, { readonly present: boolean; start(): Promise<Place> }>> = {
  SQLite: {
    present: true,
    async start() {
      const settings = { ...inFile(), redisUrl: undefined };
      return { env: { DATABASE_FILE: fileOf(settings) }, settings, stop: async () => {} };
    },
  },
  PostgreSQL: {
    present: POSTGRES !== undefined,
    async start() {
      const server = await startPostgres();
      const settings = { database: { kind: "postgres" as const, url: server.url }, redisUrl: undefined };
      return { env: { DATABASE_URL: server.url }, settings, stop: () => server.close() };
    },
  },
  MariaDB: {
    present: hasMysql(),
    async start() {
      const server = await openMysql();
      const settings = { database: { kind: "mysql" as const, url: server.url }, redisUrl: undefined };
      return { env: { DATABASE_URL: server.url }, settings, stop: () => server.close() };
    },
  },
  "Redis with users in SQLite": {
    present: hasRedis,
    async start() {
      const server = await startRedis();
      const redisUrl = `redis://127.0.0.1:${server.port}`;
      const settings = { ...inFile(), redisUrl };
      return {
        env: { DATABASE_URL: `file:${fileOf(settings)}`, REDIS_URL: redisUrl },
        settings,
        stop: () => server.close(),
      };
    },
  },
};

type Report = { faults: number; findings: { area: string; check: string; level: string; says: string }[] };

describe.each(Object.entries(PLACES))("over %s", (name, { present, start }) => {
  describe.skipIf(!available(name, present))("the commands", () => {
    let place: Place;
    beforeAll(async () => {
      place = await start();
    });
    afterAll(() => place.stop());
    const run = (...words: string[]) =>
      command([...words, "--json"], { env: { JWT_SECRET_KEY: SECRET, ...place.env } });
    const storeFindings = async (): Promise<Report["findings"]> =>
      ((await run("doctor")).json() as unknown as Report).findings.filter(({ area }) => area === "store");
    const using = async (work: (stores: Awaited<ReturnType<typeof openStores>>) => Promise<void>): Promise<void> => {
      const stores = await openStores(place.settings, { migrate: false, tell: () => {} });
      await work(stores).finally(() => stores.close());
    };

    it("make nothing before migrate", async () => {
      for (const words of [["purge"], ["token", "verify", "a.b.c", "--store"]]) {
        const { code, json } = await run(...words);
        expect([code, json()]).toMatchObject([
          1,
          { error: { code: "store_unavailable", message: expect.stringMatching(/migrate/) } },
        ]);
      }
      expect(await storeFindings()).toMatchObject([{ level: "fault", says: expect.stringMatching(/migrate/) }]);
      if (place.settings.database.kind === "sqlite") expect(existsSync(place.settings.database.file)).toBe(false);
    });

    it("migrate makes the tables, as often as it is asked, by several at once", async () => {
      const runs = await Promise.all([run("migrate"), run("migrate")]);
      runs.push(await run("migrate"));
      expect(runs.map(({ code, err }) => [code, err])).toEqual(Array(3).fill([0, ""]));
      expect(runs[0]?.json()).toMatchObject({ ok: true });
      const found = await storeFindings();
      expect(found.filter(({ level }) => level !== "ok")).toEqual([]);
      // SQLite has no clock of its own.
      expect(found.map(({ check }) => check)).toEqual(name === "SQLite" ? ["store"] : ["store", "clock"]);
    });

    it("verify asks whether a token is revoked", async () => {
      await using(async ({ store }) => {
        const manager = new JWTManager({ secretKey: SECRET, store });
        const { access_token } = await manager.createTokenPair("ada");
        expect((await run("token", "verify", access_token, "--store")).code).toBe(0);
        await manager.revokeToken(access_token);
        const { code, json } = await run("token", "verify", access_token, "--store");
        expect([code, json()]).toMatchObject([1, { valid: false, error: { code: "token_revoked" } }]);
        expect((await run("token", "verify", access_token)).code).toBe(0);
      });
    });

    it("purge removes what is over, and nothing else", async () => {
      await using(async ({ store, tables }) => {
        const revoke = (jti: string, until: number) => store.revoke({ kind: "token", jti, issuer: undefined, until });
        const asked = { sid: undefined, subject: undefined, issuer: undefined, kid: undefined, iat: undefined };
        await revoke("old", Date.now() + 1);
        await revoke("live", Date.now() + 600_000);
        await entryOf(tables, "0".repeat(12), 1);
        await entryOf(tables, Date.now().toString(16).padStart(12, "0"), Date.now());
        await new Promise((resolve) => setTimeout(resolve, 20));
        const first = await run("purge");
        expect([first.code, first.json()]).toMatchObject([0, { ok: true, auditPurged: false }]);
        // Redis forgets flags by itself, at the moment that they name.
        if (name.startsWith("Redis")) expect(first.json().removed).toBeTypeOf("number");
        else expect(first.json().removed).toBe(1);
        expect((await run("purge")).json()).toMatchObject({ removed: 0 });
        expect(await (store as TokenStore).isRevoked({ ...asked, jti: "live" })).toBe(true);
        const trail = () => tables.audit.find({ subject: undefined, kind: undefined, before: undefined, limit: 10 });
        expect(await trail()).toHaveLength(2);
        expect((await run("purge", "--audit-older-than", "90d")).json()).toMatchObject({ auditPurged: true });
        expect(await trail()).toMatchObject([{ subject: "ada" }]);
      });
    });

    if (name !== "SQLite")
      it("say so where nobody answers", async () => {
        await place.stop();
        for (const word of ["migrate", "purge"]) {
          const { code, json, out } = await run(word);
          expect([code, json()]).toMatchObject([1, { ok: false, error: { code: "store_unavailable" } }]);
          expect(out).toMatch(/ECONNREFUSED|cannot be used/);
          expect(out).not.toMatch(/@127/);
        }
        expect(await storeFindings()).toMatchObject([{ level: "fault" }]);
      });
  });
});

/** An entry of the audit trail at a moment, in milliseconds. */
const entryOf = (tables: Awaited<ReturnType<typeof openStores>>["tables"], id: string, at: number) =>
  tables.audit.add({
    id: `${id}-entry`,
    at,
    kind: "login",
    outcome: "ok",
    subject: "ada",
    actor: null,
    session: null,
    address: null,
    userAgent: null,
    detail: null,
  });

describe.skipIf(!available("redis-server", hasRedis))("a Redis that evicts", () => {
  it("is found by the doctor", async () => {
    const server = await startRedis("--maxmemory-policy", "allkeys-lru");
    const DATABASE_FILE = join(temporaryFolder(), "auth.db");
    const env = { JWT_SECRET_KEY: SECRET, DATABASE_FILE };
    try {
      expect((await command(["migrate"], { env })).code).toBe(0);
      const { code, out } = await command(["doctor"], {
        env: { ...env, REDIS_URL: `redis://127.0.0.1:${server.port}` },
      });
      expect([code, out]).toEqual([1, expect.stringMatching(/FAULT {4}store: .*maxmemory-policy.*noeviction/)]);
    } finally {
      await server.close();
    }
  });
});
