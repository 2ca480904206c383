import { beforeAll, describe, expect, it } from "vitest";
import { bearer } from "../support/serve.ts";
import { claimsOf, type Pair, type Running, startServer } from "./server.ts";
import { Browser, type Listening, listen } from "./visitor.ts";

const PASSWORD = "a password of events";
const ADMIN = { username: "root-of-all", password: "the administrator's own" };

let server: Running;
let twin: Running;
let admin: Pair;
beforeAll(async () => {
  const JWT_SECRET_KEY = "k7Jx-a-marker-secret-of-this-test-file-Q2v";
  const env = { JWT_SECRET_KEY, ADMIN_USERNAME: ADMIN.username, ADMIN_PASSWORD: ADMIN.password };
  server = await startServer({ env });
  // Another process over the same file.
  twin = await startServer({ cwd: server.cwd, env });
  admin = (await server.post("/login", ADMIN)).json() as Pair;
});

const register = async (username: string): Promise<Pair> =>
  (await server.post("/register", { username, password: PASSWORD })).json() as Pair;
const login = async (username: string): Promise<Pair> =>
  (await server.post("/login", { username, password: PASSWORD })).json() as Pair;
const follow = (pair: Pair, path = "/events"): Promise<Listening> => listen(server, path, bearer(pair.access_token));

/** Milliseconds from `end` to the end of the stream, by then it must have said so. */
async function endedWithin(stream: Listening, end: () => Promise<unknown>): Promise<number> {
  expect([stream.status, stream.closedAt()]).toEqual([200, undefined]);
  // The copy of the revocations is there by then.
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(stream.closedAt()).toBeUndefined();
  await end();
  const since = performance.now();
  await expect.poll(() => stream.closedAt(), { timeout: 5_000, interval: 20 }).toBeDefined();
  expect(stream.events("session")).toEqual([{ state: "ended" }]);
  return (stream.closedAt() as number) - since;
}

describe("/events", () => {
  it("ends within a second when the session is ended elsewhere", async () => {
    await register("eve");
    const [own, other] = [await login("eve"), await login("eve")];
    const sid = claimsOf(own.access_token).sid;
    const took = await endedWithin(await follow(own), () =>
      server.ask("DELETE", `/sessions/${sid}`, other.access_token),
    );
    expect(took).toBeLessThan(1_000);
  });

  it("ends within a second when another process ends the session", async () => {
    const pair = await register("evan");
    const took = await endedWithin(await follow(pair), () => twin.ask("POST", "/logout", pair.refresh_token));
    expect(took).toBeLessThan(1_000);
  });

  it("ends when all sessions of the user end, and not when those of others do", async () => {
    const [one, other] = [await register("erin"), await register("emil")];
    const stays = await follow(other);
    const took = await endedWithin(await follow(one), () => server.ask("POST", "/logout-all", one.access_token));
    expect(took).toBeLessThan(1_000);
    expect([stays.closedAt(), stays.events("session")]).toEqual([undefined, []]);
    stays.abort();
  });

  it("goes on when the token is exchanged", async () => {
    const pair = await register("ella");
    const stream = await follow(pair);
    expect((await server.ask("POST", "/refresh", pair.refresh_token)).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(stream.closedAt()).toBeUndefined();
    stream.abort();
  });

  it("takes cookies, from pages of its own", async () => {
    const browser = new Browser(server);
    await browser.send("POST", "/register", { username: "ebba", password: PASSWORD, via: "cookies" });
    const cookie = ["Cookie", browser.line()] as const;
    const stream = await listen(server, "/events", cookie, ["Sec-Fetch-Site", "same-origin"]);
    const took = await endedWithin(stream, () => browser.send("POST", "/logout", undefined, "access"));
    expect(took).toBeLessThan(1_000);
    const again = new Browser(server);
    await again.send("POST", "/login", { username: "ebba", password: PASSWORD, via: "cookies" });
    for (const site of ["cross-site", "same-site"]) {
      const foreign = await listen(server, "/events", ["Cookie", again.line()], ["Sec-Fetch-Site", site]);
      expect(foreign.status).toBe(403);
    }
  });

  it("wants a token, and lets ten streams of a user be open", async () => {
    expect((await listen(server, "/events")).status).toBe(401);
    const pair = await register("many");
    const streams = await Promise.all(Array.from({ length: 11 }, () => follow(pair)));
    expect(streams.map(({ status }) => status).sort()).toEqual([...new Array(10).fill(200), 503]);
    const refused = await server.ask("GET", "/events", pair.access_token);
    expect([refused.status, (refused.json() as { code: string }).code]).toEqual([503, "too_busy"]);
    for (const stream of streams) stream.abort();
    await expect
      .poll(async () => {
        const stream = await follow(pair);
        stream.abort();
        return stream.status;
      })
      .toBe(200);
  });
});

describe("/admin/events", () => {
  it("tells administrators what happens, in this process and in others", async () => {
    const stream = await follow(admin, "/admin/events");
    expect(stream.status).toBe(200);
    const { access_token } = await register("watched");
    const { sub } = claimsOf(access_token);
    await twin.post("/login", { username: "watched", password: "wrong, and elsewhere" });
    const seen = (): unknown[] =>
      stream.events("audit").filter((entry) => (entry as { subject: string }).subject === sub);
    await expect.poll(() => seen().length, { timeout: 5_000 }).toBe(3);
    const page = await server.ask("GET", `/admin/audit?subject=${sub}`, admin.access_token);
    expect([...seen()].reverse()).toEqual((page.json() as { entries: unknown[] }).entries);
    stream.abort();
  });

  it("is for administrators, and ends with their session", async () => {
    const user = await register("no-admin");
    expect((await follow(user, "/admin/events")).status).toBe(403);
    expect((await listen(server, "/admin/events")).status).toBe(401);
    const own = (await server.post("/login", ADMIN)).json() as Pair;
    const stream = await follow(own, "/admin/events");
    expect(stream.status).toBe(200);
    await server.ask("POST", "/logout", own.refresh_token);
    await expect.poll(() => stream.closedAt(), { timeout: 2_000 }).toBeDefined();
  });

  it("has two streams for a login, and a third when one of them is closed", async () => {
    const own = (await server.post("/login", ADMIN)).json() as Pair;
    const streams = [await follow(own, "/admin/events"), await follow(own, "/admin/events")];
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);
    const third = await server.ask("GET", "/admin/events", own.access_token);
    expect([third.status, (third.json() as { code: string }).code]).toEqual([503, "too_busy"]);
    streams[0]?.abort();
    await expect
      .poll(async () => {
        const stream = await follow(own, "/admin/events");
        stream.abort();
        return stream.status;
      })
      .toBe(200);
    streams[1]?.abort();
  });

  it("ends when the role goes", async () => {
    const second = await register("second-admin");
    const { sub } = claimsOf(second.access_token);
    const roles = (list: string[]) =>
      server.send({
        method: "POST",
        path: `/admin/users/${sub}/roles`,
        headers: [bearer(admin.access_token), ["Content-Type", "application/json"]],
        body: JSON.stringify({ roles: list }),
      });
    expect((await roles(["admin"])).status).toBe(204);
    const stream = await follow(await login("second-admin"), "/admin/events");
    expect(stream.status).toBe(200);
    expect((await roles([])).status).toBe(204);
    await expect.poll(() => stream.closedAt(), { timeout: 2_000 }).toBeDefined();
  });
});

describe("/admin/activity", () => {
  it("counts logins and refusals over time", async () => {
    const total = async () => {
      const answer = await server.ask("GET", "/admin/activity", admin.access_token);
      const { bucket, rows } = answer.json() as {
        bucket: number;
        rows: { at: number; logins: number; refusals: number }[];
      };
      const sum = (name: "logins" | "refusals"): number => rows.reduce((all, row) => all + row[name], 0);
      return { status: answer.status, bucket, rows, logins: sum("logins"), refusals: sum("refusals") };
    };
    const before = await total();
    await register("active");
    await login("active");
    await server.post("/login", { username: "active", password: "a wrong password" });
    await server.post("/login", { username: "nobody-at-all", password: "a wrong password" });
    const after = await total();
    expect([after.logins - before.logins, after.refusals - before.refusals]).toEqual([2, 2]);
    expect([after.status, after.bucket, after.rows.length]).toEqual([200, 900, 96]);
    const steps = after.rows.slice(1).map(({ at }, i) => at - (after.rows[i]?.at ?? 0));
    expect(new Set(steps)).toEqual(new Set([900]));
    expect((after.rows.at(-1)?.at ?? 0) % 900).toBe(0);
    expect(Math.abs(Date.now() / 1000 - (after.rows.at(-1)?.at ?? 0))).toBeLessThan(901);
  });

  it.each([
    [1, 60, 60],
    [6, 300, 72],
    [168, 3_600, 168],
    [744, 21_600, 124],
  ])("of %i hours has rows of %i seconds", async (hours, bucket, length) => {
    const answer = await server.ask("GET", `/admin/activity?hours=${hours}`, admin.access_token);
    const found = answer.json() as { bucket: number; rows: unknown[] };
    expect([found.bucket, found.rows.length]).toEqual([bucket, length]);
  });

  it("refuses what makes no sense, and who is no administrator", async () => {
    for (const hours of ["0", "745", "-1", "x", "1.5", "24&hours=2"]) {
      const answer = await server.ask("GET", `/admin/activity?hours=${hours}`, admin.access_token);
      expect([answer.status, (answer.json() as { code: string }).code]).toEqual([400, "field_invalid"]);
    }
    const { access_token } = await register("inactive");
    expect((await server.ask("GET", "/admin/activity", access_token)).status).toBe(403);
    expect((await server.send({ path: "/admin/activity" })).status).toBe(401);
  });
});
