import { createAuthFetch } from "jwt-extended/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { memoryStorage } from "./page.ts";
import { FakeService, ORIGIN } from "./service.ts";

const HOUR_MS = 3_600_000;
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A client without a page, as in Node and React Native. */
function client(service: FakeService, options: object = {}) {
  return createAuthFetch({ mode: "bearer", baseUrl: ORIGIN, fetch: service.fetch, ...options });
}

async function signedIn(service: FakeService, options: object = {}) {
  const authFetch = client(service, options);
  await authFetch.signedIn(service.login());
  return authFetch;
}

describe("bearer mode", () => {
  it("sends the token with every call, and no cookies, CSRF value or setting of its own", async () => {
    const service = new FakeService("bearer");
    const authFetch = await signedIn(service);
    await authFetch("/me");
    await authFetch("/me", { method: "POST", body: "text" });
    for (const { headers, credentials } of service.seen) {
      expect(headers.get("authorization")).toMatch(/^Bearer a-s1-0/);
      expect([headers.get("x-csrf-token"), credentials]).toEqual([null, "same-origin"]);
    }
  });

  it("refreshes once for all calls after 401 token_expired, with the refresh token in the header", async () => {
    const service = new FakeService("bearer");
    const authFetch = await signedIn(service);
    service.expire();
    const answers = await Promise.all([1, 2, 3].map(() => authFetch("/me", { method: "POST", body: "again" })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(service.calls("/auth/refresh").map(({ headers }) => headers.get("authorization"))).toEqual([
      "Bearer r-s1-0",
    ]);
    expect(service.calls("/me").map(({ body }) => body)).toEqual(Array(6).fill("again"));
    service.expire();
    expect((await authFetch("/me")).status).toBe(200);
    expect(service.calls("/auth/refresh")[1]?.headers.get("authorization")).toBe("Bearer r-s1-1");
  });

  it("renews ahead of expiry: within the last tenth of the token's life, not before", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const service = new FakeService("bearer");
    const authFetch = await signedIn(service);
    vi.setSystemTime(Date.now() + 809_000);
    await authFetch("/me");
    expect(service.refreshes).toBe(0);
    vi.setSystemTime(Date.now() + 2_000);
    await authFetch("/me");
    expect(service.calls().map(({ path }) => path)).toEqual(["/me", "/auth/refresh", "/me"]);
    await authFetch("/me");
    expect(service.refreshes).toBe(1);
  });

  it("says nothing of the life of a token that has none said, and mends the 401", async () => {
    const service = new FakeService("bearer");
    service.expiresIn = undefined;
    const authFetch = await signedIn(service);
    await authFetch("/me");
    service.expire();
    expect((await authFetch("/me")).status).toBe(200);
    expect(service.refreshes).toBe(1);
  });

  it("keeps the refresh token where a refresh answers an access token only", async () => {
    const service = new FakeService("bearer");
    const authFetch = await signedIn(service);
    service.faults.push(Response.json({ access_token: "of another kind of service" }));
    expect(await authFetch.refresh()).toBe(true);
    await authFetch("/me");
    expect(service.calls("/auth/refresh").map(({ headers }) => headers.get("authorization"))).toEqual([
      "Bearer r-s1-0",
      "Bearer r-s1-0",
    ]);
    expect(service.calls("/me").at(-1)?.headers.get("authorization")).toMatch(/^Bearer a-s1-1/);
  });

  it.each([
    ["behind", -HOUR_MS],
    ["ahead", HOUR_MS],
  ])("needs no right clock: one that is an hour %s changes nothing", async (_, wrong) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const service = new FakeService("bearer");
    vi.setSystemTime(Date.now() + wrong);
    const authFetch = await signedIn(service);
    for (let i = 0; i < 5; i++) await authFetch("/me");
    expect(service.refreshes).toBe(0);
  });

  it.each([
    ["forward: one refresh", HOUR_MS, 1],
    ["back: none, and the 401 is mended", -HOUR_MS, 0],
  ])("bears a clock that is put an hour %s", async (_, jump, refreshes) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const service = new FakeService("bearer");
    const authFetch = await signedIn(service);
    vi.setSystemTime(Date.now() + jump);
    for (let i = 0; i < 5; i++) expect((await authFetch("/me")).status).toBe(200);
    expect(service.refreshes).toBe(refreshes);
    service.expire();
    expect((await authFetch("/me")).status).toBe(200);
    expect(service.refreshes).toBe(refreshes + 1);
  });

  it("keeps the login in a storage, also one that takes its time", async () => {
    const service = new FakeService("bearer");
    const { getItem, setItem, kept } = memoryStorage();
    const slow = {
      getItem: async (name: string) => new Promise<string | null>((done) => setTimeout(() => done(getItem(name)), 5)),
      setItem: async (name: string, value: string) => setItem(name, value),
    };
    await signedIn(service, { storage: slow });
    expect([...kept.keys()]).toEqual(["jwthttps-app-example-com-auth-refresh"]);
    const restarted = client(service, { storage: slow });
    expect((await restarted("/me")).status).toBe(200);
    service.expire();
    expect(await client(service, { storage: slow }).refresh()).toBe(true);
    await client(service, { storage: slow }).logout();
    expect([...kept.values()].join()).not.toMatch(/a-s1|r-s1/);
    expect((await client(service, { storage: slow })("/me")).status).toBe(401);
  });

  it.each([
    ["refuses to read", { getItem: () => Promise.reject(new Error("locked")), setItem: () => undefined }],
    [
      "refuses everything",
      {
        getItem: () => {
          throw new DOMException("denied", "SecurityError");
        },
        setItem: () => {
          throw new DOMException("denied", "SecurityError");
        },
      },
    ],
    [
      "is full, and holds an old login",
      { getItem: () => '{"id":1,"access":"old","refresh":"old"}', setItem: () => Promise.reject(new Error("full")) },
    ],
    ["holds nonsense", { getItem: () => "{", setItem: () => undefined }],
  ])("goes on in memory where a storage %s", async (_, storage) => {
    const service = new FakeService("bearer");
    const authFetch = await signedIn(service, { storage });
    service.expire();
    expect((await authFetch("/me")).status).toBe(200);
    expect([service.refreshes, (await authFetch("/me")).status]).toEqual([1, 200]);
  });

  it("ends the login on the server and here, and says so", async () => {
    const service = new FakeService("bearer");
    const onSignOut = vi.fn();
    const authFetch = await signedIn(service, { onSignOut });
    expect((await authFetch.logout()).status).toBe(204);
    const [logout] = service.calls("/auth/logout");
    expect([logout?.method, logout?.headers.get("authorization")]).toEqual(["POST", "Bearer r-s1-0"]);
    expect(onSignOut.mock.calls).toEqual([["logout"]]);
    await authFetch("/me");
    expect(service.seen.at(-1)?.headers.get("authorization")).toBe(null);
    expect(service.refreshes).toBe(0);
  });

  it("logs out with the access token where there is no other", async () => {
    const service = new FakeService("bearer");
    const authFetch = client(service);
    await authFetch.signedIn({ access_token: "a" });
    expect((await authFetch.logout()).status).toBe(204);
    expect(service.seen[0]?.headers.get("authorization")).toBe("Bearer a");
  });

  it("tells instances in the same process nothing: each is a login of its own", async () => {
    const service = new FakeService("bearer");
    const onSignOut = vi.fn();
    const other = await signedIn(service, { onSignOut, storage: memoryStorage() });
    const authFetch = await signedIn(service, { storage: memoryStorage() });
    await authFetch.logout();
    await new Promise((done) => setTimeout(done, 20));
    expect(onSignOut).not.toHaveBeenCalled();
    await other("/me");
    expect(service.calls("/me")[0]?.headers.get("authorization")).toMatch(/^Bearer a-s1/);
  });

  it("can be made where there is no page, and then wants whole addresses", async () => {
    const service = new FakeService("bearer");
    const authFetch = createAuthFetch({ mode: "bearer", fetch: service.fetch });
    await expect(authFetch("/me")).rejects.toThrow(TypeError);
    expect(service.seen).toEqual([]);
  });
});
