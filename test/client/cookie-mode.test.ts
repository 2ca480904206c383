import { createAuthFetch } from "jwt-extended/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { memoryStorage, openPage } from "./page.ts";
import { FakeService, ORIGIN } from "./service.ts";

afterEach(() => vi.unstubAllGlobals());

function cookiePage(): FakeService {
  const service = new FakeService("cookie");
  openPage(service);
  return service;
}

describe("cookie mode", () => {
  it("sends the CSRF value with what changes something, and nothing with what does not", async () => {
    const service = cookiePage();
    service.login();
    const { fetch } = service;
    const authFetch = createAuthFetch({ fetch });
    for (const method of ["GET", "HEAD", "OPTIONS", "get"]) await authFetch("/me", { method });
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) await authFetch("/me", { method });
    const sent = service.seen.map(({ method, headers, credentials, redirect }) => [
      method,
      headers.get("x-csrf-token"),
      headers.get("authorization"),
      credentials,
      redirect,
    ]);
    const safe = ["GET", "HEAD", "OPTIONS", "GET"].map((method) => [method, null, null, "include", "follow"]);
    const changing = ["POST", "PUT", "PATCH", "DELETE"].map((method) => [method, "ca-s1", null, "include", "error"]);
    expect(sent).toEqual([...safe, ...changing]);
  });

  it("keeps what the caller says: headers, body, a Request, relative addresses", async () => {
    const service = cookiePage();
    service.login();
    const { fetch } = service;
    const authFetch = createAuthFetch({ fetch });
    await authFetch("me?a=1", { method: "POST", headers: { "X-Own": "1" }, body: "text" });
    await authFetch(new URL("/me", ORIGIN), {
      method: "POST",
      headers: [["X-Own", "2"]],
      body: new URLSearchParams("a=1"),
    });
    await authFetch(new Request(`${ORIGIN}/me`, { method: "POST", headers: { "X-Own": "3" }, body: "of a request" }));
    await authFetch(new Request(`${ORIGIN}/me`, { method: "PUT", body: "first" }), { method: "POST", body: "second" });
    expect(service.seen.map(({ path, headers, body, method }) => [method, path, headers.get("x-own"), body])).toEqual([
      ["POST", "/some/me", "1", "text"],
      ["POST", "/me", "2", "a=1"],
      ["POST", "/me", "3", "of a request"],
      ["POST", "/me", null, "second"],
    ]);
    expect(service.seen.every(({ headers }) => headers.get("x-csrf-token") === "ca-s1")).toBe(true);
  });

  it("refreshes once for all calls when the access cookie is gone, before any of them is sent", async () => {
    const service = cookiePage();
    service.login();
    service.expire();
    const { fetch } = service;
    const authFetch = createAuthFetch({ fetch });
    const answers = await Promise.all([1, 2, 3, 4].map(() => authFetch("/me", { method: "POST" })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(service.calls().map(({ path }) => path)).toEqual(["/auth/refresh", "/me", "/me", "/me", "/me"]);
    const [refresh] = service.calls("/auth/refresh");
    expect([refresh?.method, refresh?.headers.get("x-csrf-token"), refresh?.body, refresh?.keepalive]).toEqual([
      "POST",
      "cr-s1",
      "",
      true,
    ]);
  });

  it("refreshes once after 401 token_expired, and sends the waiting calls once more, bodies included", async () => {
    const service = cookiePage();
    service.login();
    service.expire("stay");
    const { fetch } = service;
    const authFetch = createAuthFetch({ fetch });
    const bodies = ["one", new Blob(["two"]), new URLSearchParams("a=three"), new TextEncoder().encode("four")];
    const form = new FormData();
    form.set("a", "five");
    const request = new Request(`${ORIGIN}/me`, { method: "POST", body: "six" });
    const answers = await Promise.all([
      ...[...bodies, form].map((body) => authFetch("/me", { method: "POST", body })),
      authFetch(request),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(service.refreshes).toBe(1);
    const sent = service.calls("/me").map(({ body }) => body);
    for (const text of ["one", "two", "a=three", "four", "six"])
      expect(sent.filter((body) => body === text)).toHaveLength(2);
    expect(sent.filter((body) => body.includes("five"))).toHaveLength(2);
  });

  it("asks nothing of guests: no refresh, no event", async () => {
    const service = cookiePage();
    const onSignOut = vi.fn();
    const { fetch } = service;
    const authFetch = createAuthFetch({ fetch, onSignOut });
    expect((await authFetch("/me")).status).toBe(401);
    expect(await authFetch.refresh()).toBe(false);
    expect([service.refreshes, onSignOut.mock.calls]).toEqual([0, []]);
  });

  it("keeps no token, even from a service that sends some", async () => {
    const service = cookiePage();
    const storage = memoryStorage();
    const { fetch } = service;
    const authFetch = createAuthFetch({ fetch, storage });
    await authFetch.signedIn({
      access_token: "secret-a",
      refresh_token: "secret-r",
      expires_in: 900,
      csrf_access: "c",
    });
    expect([...storage.kept.values()].join()).toContain('"c"');
    expect([...storage.kept].join()).not.toContain("secret");
    await authFetch("/me", { method: "POST" });
    expect(service.seen[0]?.headers.get("authorization")).toBe(null);
  });

  it("reads cookies of other names, and prefers those that no other host can plant", async () => {
    const service = cookiePage();
    service.login();
    const { fetch } = service;
    service.jar.set("csrf_access", "planted");
    service.jar.set("__Secure-csrf_access", "planted by a neighbour");
    await createAuthFetch({ fetch })("/me", { method: "POST" });
    service.jar.set("csrf_access_token", "ca-s1");
    service.jar.set("csrf_refresh_token", "cr-s1");
    const csrfCookies = { access: "csrf_access_token", refresh: "csrf_refresh_token" };
    await createAuthFetch({ fetch, csrfCookies })("/me", { method: "POST" });
    service.jar.clear();
    service.jar.set("csrf_access", "plain");
    service.jar.set("csrf_refresh", "plain");
    await createAuthFetch({ fetch, csrfHeader: "X-Other" })("/me", { method: "POST" });
    const sent = service.calls("/me").map(({ headers }) => headers.get("x-csrf-token") ?? headers.get("x-other"));
    expect(sent).toEqual(["ca-s1", "ca-s1", "plain"]);
  });

  it("takes CSRF values from the body where there are no cookies for them, and keeps them in a storage", async () => {
    const service = cookiePage();
    service.csrf = "body";
    const { fetch } = service;
    const storage = memoryStorage();
    const authFetch = createAuthFetch({ fetch, storage });
    await authFetch.signedIn(await (await authFetch("/login", { method: "POST" })).json());
    expect((await authFetch("/me", { method: "POST" })).status).toBe(200);
    service.expire("stay");
    const reloaded = createAuthFetch({ fetch, storage });
    expect((await reloaded("/me", { method: "POST" })).status).toBe(200);
    expect(service.refreshes).toBe(1);
  });

  it("does without CSRF values where the service has none, and stops asking once it is refused", async () => {
    const service = cookiePage();
    const onSignOut = vi.fn();
    const fetch = vi.fn(async (input: RequestInfo | URL) =>
      new URL(input as string).pathname === "/auth/refresh" && fetch.mock.calls.length < 4
        ? new Response('{"expires_in":900}')
        : new Response('{"code":"token_missing"}', { status: 401 }),
    );
    const authFetch = createAuthFetch({ fetch, csrfCookies: false, onSignOut });
    expect((await authFetch("/me", { method: "POST" })).status).toBe(401);
    expect(fetch.mock.calls.map(([url]) => new URL(url as string).pathname)).toEqual(["/me", "/auth/refresh", "/me"]);
    expect((await authFetch("/me")).status).toBe(401);
    expect(onSignOut.mock.calls).toEqual([["token_missing"]]);
    const before = fetch.mock.calls.length;
    await authFetch("/me");
    expect(fetch.mock.calls.length).toBe(before + 1);
    await authFetch.signedIn({ expires_in: 900 });
    await authFetch("/me");
    expect(fetch.mock.calls.length).toBe(before + 3);
    expect(service.seen).toEqual([]);
  });
});
