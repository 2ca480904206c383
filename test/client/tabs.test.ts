import { createAuthFetch } from "jwt-extended/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Locks, memoryStorage, openPage, settled } from "./page.ts";
import { FakeService, ORIGIN } from "./service.ts";

afterEach(() => vi.unstubAllGlobals());

let opened = 0;

interface Setting {
  readonly mode?: "cookie" | "bearer";
  readonly csrf?: FakeService["csrf"];
  readonly means?: Parameters<typeof openPage>[1];
  /** What happens to the answers that the second tab gets. */
  readonly late?: (answer: Response) => Promise<Response>;
}

/** Tabs of one browser with one login: instances that share cookies (or a storage), locks and a channel. */
async function twoTabs({ mode = "cookie", csrf = "cookies", means = {}, late }: Setting = {}) {
  const service = new FakeService(mode);
  service.csrf = csrf;
  const locks: Locks = openPage(service, means);
  const storage = mode === "bearer" || csrf === "body" ? memoryStorage() : undefined;
  const heard: string[] = [];
  // A path of its own for each test: tabs of an earlier one still listen.
  const baseUrl = `${ORIGIN}/${opened++}/`;
  const open = (i: number) =>
    createAuthFetch({
      mode,
      baseUrl,
      fetch: async (input, init) => {
        const answer = await service.fetch(input, init);
        return i === 1 && late ? late(answer) : answer;
      },
      storage,
      csrfCookies: csrf === "none" ? false : undefined,
      onSignIn: () => heard.push(`${i} in`),
      onRefresh: () => heard.push(`${i} renewed`),
      onSignOut: (reason) => heard.push(`${i} out: ${reason}`),
    });
  const both = [open(0), open(1)] as const;
  await both[0].signedIn(service.login());
  await settled();
  heard.length = 0;
  return { service, locks, tabs: both, heard };
}

const statusesOf = async (calls: readonly Promise<Response>[]): Promise<number[]> =>
  (await Promise.all(calls)).map(({ status }) => status);

describe.each([
  ["cookies", { csrf: "cookies" }],
  ["cookies, CSRF values in a common storage", { csrf: "body" }],
  ["cookies without CSRF values", { csrf: "none" }],
  ["tokens in a common storage", { mode: "bearer" }],
] as const)("two tabs with %s", (_, kind) => {
  it.each(["go", "stay"] as const)(
    "whose access token expires at once send exactly one refresh (cookies %s)",
    async (way) => {
      const { service, tabs: both, heard } = await twoTabs(kind);
      for (let round = 1; round <= 5; round++) {
        service.expire(way);
        const calls = both.flatMap((tab) => [tab("/me"), tab("/me")]);
        expect(await statusesOf(calls)).toEqual([200, 200, 200, 200]);
        expect(service.refreshes).toBe(round);
        await settled(120);
      }
      expect(heard.sort()).toEqual([...Array(5).fill("0 renewed"), ...Array(5).fill("1 renewed")]);
    },
  );

  it.each([0, 5, 20, 60, 150])(
    "send one refresh also where the second hears its 401 %i ms after the first is done",
    async (gap) => {
      let open = (): void => {};
      const gate = new Promise<void>((done) => (open = done));
      const late = async (answer: Response): Promise<Response> => {
        if (answer.status === 401) await gate;
        return answer;
      };
      const { service, tabs: both } = await twoTabs({ ...kind, late });
      service.expire("stay");
      const second = both[1]("/me");
      await settled();
      expect((await both[0]("/me")).status).toBe(200);
      await settled(gap);
      open();
      expect((await second).status).toBe(200);
      expect([service.refreshes, service.calls("/me").length]).toEqual([1, 4]);
    },
  );

  it("hear of a logout, and send nothing of the old login any more", async () => {
    const { tabs: both, heard, service } = await twoTabs(kind);
    await both[0].logout();
    await settled();
    expect(heard.sort()).toEqual(["0 out: logout", "1 out: logout"]);
    const before = service.refreshes;
    expect(await statusesOf([both[1]("/me"), both[0]("/me")])).toEqual([401, 401]);
    expect(service.refreshes).toBe(before);
    expect(service.calls("/me").map(({ headers }) => headers.get("authorization"))).toEqual([null, null]);
  });

  it("wait with a logout until a refresh is done, and do not refresh after it", async () => {
    const { tabs: both, service, heard } = await twoTabs(kind);
    service.delay = 40;
    const renewed = both[0].refresh();
    await settled(10);
    const [out, late] = [
      both[1].logout(),
      settled(5)
        .then(() => both[0]("/me"))
        .then(() => both[0].refresh()),
    ];
    await settled(20);
    expect(service.calls("/auth/logout").length).toBe(0);
    expect([await renewed, (await out).status, await late]).toEqual([true, 204, false]);
    expect([service.refreshes, heard.filter((line) => line.includes("out")).length]).toEqual([1, 2]);
  });

  it("hear of a session that was revoked, when one of them runs into it", async () => {
    const { tabs: both, heard, service } = await twoTabs(kind);
    service.revoke();
    expect((await both[0]("/me")).status).toBe(401);
    await settled();
    expect(heard.sort()).toEqual(["0 out: session_ended", "1 out: session_ended"]);
    expect([service.refreshes, (await both[1]("/me")).status, service.refreshes]).toEqual([1, 401, 1]);
  });

  it("hear of the next login, and go on with it", async () => {
    const { tabs: both, heard, service } = await twoTabs(kind);
    await both[0].logout();
    await settled();
    heard.length = 0;
    await both[1].signedIn(service.login());
    await settled();
    expect(heard.sort()).toEqual(["0 in", "1 in"]);
    expect(await (await both[0]("/me", { method: "POST" })).json()).toEqual({ session: "s2" });
    expect(service.refreshes).toBe(0);
  });

  it("know from each other when to renew", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { tabs: both, service } = await twoTabs(kind);
    vi.setSystemTime(Date.now() + 850_000);
    expect(await statusesOf([both[1]("/me"), both[0]("/me")])).toEqual([200, 200]);
    expect(service.calls().map(({ path }) => path)).toEqual(["/auth/refresh", "/me", "/me"]);
    vi.useRealTimers();
  });
});

describe("tabs in a browser that lacks something", () => {
  it("without Web Locks each refreshes by itself, and the server's grace bears it", async () => {
    const { service, tabs: both, heard } = await twoTabs({ means: { locks: false } });
    service.delay = 20;
    service.expire();
    expect(await statusesOf(both.map((tab) => tab("/me", { method: "POST" })))).toEqual([200, 200]);
    expect(service.refreshes).toBeLessThanOrEqual(2);
    service.expire();
    await settled(50);
    expect((await both[0]("/me")).status).toBe(200);
    expect(heard.filter((line) => line.includes("out"))).toEqual([]);
  });

  it("without BroadcastChannel they refresh one after the other, and all calls get through", async () => {
    const { service, tabs: both, heard } = await twoTabs({ means: { channel: false } });
    service.expire("stay");
    expect(await statusesOf(both.map((tab) => tab("/me", { method: "POST" })))).toEqual([200, 200]);
    await both[0].logout();
    await settled();
    expect(heard.filter((line) => line.includes("out"))).toEqual(["0 out: logout"]);
    expect((await both[1]("/me")).status).toBe(401);
  });

  it("without BroadcastChannel a common storage says what the other tab did", async () => {
    const service = new FakeService("bearer");
    openPage(service, { channel: false });
    const storage = memoryStorage();
    const open = () => createAuthFetch({ mode: "bearer", baseUrl: ORIGIN, fetch: service.fetch, storage });
    await open().signedIn(service.login());
    const both = [open(), open()];
    expect(await statusesOf(both.map((tab) => tab("/me")))).toEqual([200, 200]);
    service.expire();
    expect(await statusesOf(both.map((tab) => tab("/me")))).toEqual([200, 200]);
    expect(service.refreshes).toBe(1);
  });

  it("without both, and where a page may store nothing", async () => {
    for (const means of [{ locks: false, channel: false }, { blocked: true }]) {
      const { service, tabs: both } = await twoTabs({ means, csrf: "none" });
      service.expire("stay");
      expect(await statusesOf([both[0]("/me")])).toEqual([200]);
      expect((await both[1].logout()).status).toBe(204);
    }
  });

  it("does not wait for ever for a tab that sleeps with the lock", async () => {
    const { service, locks, tabs: both } = await twoTabs();
    const name = `jwt${ORIGIN}/${opened - 1}/-auth-refresh`.replace(/\W+/g, "-");
    let wake = (): void => {};
    const asleep = locks.request(name, {}, () => new Promise<void>((done) => (wake = done)));
    await settled();
    service.expire();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 30);
      return abort.signal;
    });
    expect((await both[1]("/me")).status).toBe(200);
    expect(timeout.mock.calls).toEqual([[15_000]]);
    timeout.mockRestore();
    wake();
    await asleep;
    expect(service.refreshes).toBe(1);
  });
});

it("a tab goes on with the tokens it has while a slow storage gives the new ones", async () => {
  const service = new FakeService("bearer");
  openPage(service);
  const { getItem, setItem } = memoryStorage();
  const storage = { getItem: (name: string) => settled(60).then(() => getItem(name)), setItem };
  const open = () => createAuthFetch({ mode: "bearer", baseUrl: `${ORIGIN}/slow/`, fetch: service.fetch, storage });
  const [one, two] = [open(), open()];
  await one.signedIn(service.login());
  await settled(100);
  expect((await two("/me")).status).toBe(200);
  expect(await one.refresh()).toBe(true);
  await settled(10);
  expect((await two("/me")).status).toBe(200);
});

it("tabs that keep their tokens in memory are logins of their own", async () => {
  const both = [0, 1].map(() => {
    const service = new FakeService("bearer");
    openPage(service);
    const onSignOut = vi.fn();
    const authFetch = createAuthFetch({ mode: "bearer", baseUrl: ORIGIN, fetch: service.fetch, onSignOut });
    return { service, onSignOut, authFetch };
  });
  for (const { service, authFetch } of both) await authFetch.signedIn(service.login());
  for (const { service } of both) service.expire();
  expect(await statusesOf(both.map(({ authFetch }) => authFetch("/me")))).toEqual([200, 200]);
  expect(both.map(({ service }) => service.refreshes)).toEqual([1, 1]);
  await both[0]?.authFetch.logout();
  await settled();
  expect((await both[1]?.authFetch("/me"))?.status).toBe(200);
  expect(both.map(({ onSignOut }) => onSignOut.mock.calls.length)).toEqual([1, 0]);
});

describe("what tabs tell each other", () => {
  it("is never a token or a CSRF value", async () => {
    for (const setting of [{ csrf: "body" }, { mode: "bearer" }] as const) {
      const said: unknown[] = [];
      const post = vi
        .spyOn(BroadcastChannel.prototype, "postMessage")
        .mockImplementation((message) => said.push(message));
      const { service, tabs: both } = await twoTabs(setting);
      await both[0].signedIn(service.login());
      await both[0].refresh();
      await both[0].logout();
      post.mockRestore();
      expect(said.length).toBe(4);
      expect(JSON.stringify(said)).not.toMatch(/a-s\d|r-s\d|ca-|cr-/);
    }
  });
});
