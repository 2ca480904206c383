import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasMysql, openMysql } from "../support/mysql.ts";
import { POSTGRES, type PostgresServer, startPostgres } from "../support/postgres.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis.ts";
import { available } from "../support/require.ts";
import { bearer } from "../support/serve.ts";
import { type Pair, type Running, startServer } from "./server.ts";
import { listen } from "./visitor.ts";

const env = { JWT_SECRET_KEY: "k7Jx-a-marker-secret-of-this-test-file-Q2v", TRUSTED_PROXIES: "" };
const ADMIN = { ADMIN_USERNAME: "root", ADMIN_PASSWORD: "an administrator's own" };
const USER = { username: "ada", password: "a password of places" };

/** Two servers over one place: what one does, the other knows. */
async function together(one: Running, other: Running): Promise<void> {
  const pair = (await one.post("/register", USER)).json() as Pair;
  expect((await other.ask("GET", "/protected", pair.access_token)).json()).toEqual({ logged_in_as: "ada" });
  const second = (await other.post("/login", USER)).json() as Pair;
  const stream = await listen(one, "/events", bearer(second.access_token));
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(stream.closedAt()).toBeUndefined();
  expect((await other.ask("POST", "/logout", second.refresh_token)).status).toBe(204);
  const since = performance.now();
  await expect.poll(() => stream.closedAt(), { timeout: 4_000, interval: 20 }).toBeDefined();
  expect((stream.closedAt() as number) - since).toBeLessThan(1_000);
  expect((await one.ask("GET", "/protected", second.access_token)).status).toBe(401);
  const admin = (await other.post("/login", { username: "root", password: ADMIN.ADMIN_PASSWORD })).json() as Pair;
  const activity = (await one.ask("GET", "/admin/activity?hours=1", admin.access_token)).json();
  const { rows } = activity as { rows: { logins: number; refusals: number }[] };
  expect(rows.reduce((sum, { logins }) => sum + logins, 0)).toBe(3);
  expect((await one.send({ path: "/health/ready" })).status).toBe(200);
}

/** Starts two servers over one database, and takes it away from them for a while. */
async function sharedBy(database: Database): Promise<void> {
  const place = { ...env, ...ADMIN, DATABASE_URL: database.url };
  const [one, other] = await Promise.all([startServer({ env: place }), startServer({ env: place })]);
  expect(existsSync(join(one.cwd, "data"))).toBe(false);
  await together(one, other);
  await database.stop();
  const ready = async (server: Running) => (await server.send({ path: "/health/ready" })).text;
  const says = '{"code":"not_ready","msg":"The server cannot take requests now"}';
  await expect.poll(() => ready(one), { timeout: 10_000 }).toBe(says);
  expect((await one.send({ path: "/health/live" })).status).toBe(200);
  const login = await one.post("/login", USER);
  expect([login.status, login.text]).toEqual([503, expect.stringContaining('"store_unavailable"')]);
  await database.start();
  await expect.poll(() => ready(one), { timeout: 10_000 }).toBe('{"status":"ready"}');
  expect((await one.post("/login", USER)).status).toBe(201);
  for (const server of [one, other]) {
    const { code, output } = await server.stop();
    expect(code).toBe(0);
    expect(output).not.toContain(database.url);
  }
}

type Database = Pick<PostgresServer, "url" | "start" | "close"> & { stop(): Promise<unknown> };

describe.each([
  ["PostgreSQL", POSTGRES !== undefined, startPostgres],
  ["MariaDB", hasMysql(), openMysql],
] as const)("%s", (name, isThere, start) => {
  it.skipIf(!available(name, isThere))("is shared by servers, and its loss is a 503", { timeout: 60_000 }, async () => {
    const database: Database = await start();
    try {
      await sharedBy(database);
    } finally {
      await database.close();
    }
  });
});

describe.skipIf(!available("redis-server", hasRedis))("Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.close());

  it("holds sessions and limits for servers that share it, users stay in the file", async () => {
    const place = { ...env, ...ADMIN, REDIS_URL: `redis://127.0.0.1:${redis.port}/0` };
    const one = await startServer({ env: place });
    const other = await startServer({ env: place, cwd: one.cwd });
    await together(one, other);
    // Ten guesses at one account from one address, half of them at each server, and the next is one too many.
    const guess = (server: Running) => server.post("/login", { ...USER, username: "guessed" });
    for (let i = 0; i < 5; i++) for (const server of [one, other]) expect((await guess(server)).status).toBe(401);
    expect((await guess(one)).status).toBe(429);
    expect(await redis.command("DBSIZE")).not.toBe(":0");
    await redis.stop();
    expect((await one.post("/login", USER)).status).toBe(503);
    await expect.poll(async () => (await one.send({ path: "/health/ready" })).status, { timeout: 4_000 }).toBe(503);
    for (const server of [one, other]) expect((await server.stop()).code).toBe(0);
  });
});
