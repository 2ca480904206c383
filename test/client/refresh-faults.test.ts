import { createAuthFetch } from "jwt-extended/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPage } from "./page.ts";
import { FakeService, type Fault, ORIGIN } from "./service.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A login whose access token has expired, and whose next refreshes go wrong. */
async function expired(faults: readonly Fault[], options: object = {}) {
  const service = new FakeService("bearer");
  const onSignOut = vi.fn();
  const authFetch = createAuthFetch({ mode: "bearer", baseUrl: ORIGIN, fetch: service.fetch, onSignOut, ...options });
  await authFetch.signedIn(service.login());
  service.expire();
  service.faults.push(...faults);
  return { service, onSignOut, authFetch };
}

/** What a call gives, and after how many milliseconds of the client's time. */
async function timed(call: Promise<Response>): Promise<readonly [outcome: unknown, ms: number]> {
  const start = Date.now();
  let end: readonly [unknown, number] | undefined;
  call.then(
    ({ status }) => (end = [status, Date.now() - start]),
    (error: Error) => (end = [error.name, Date.now() - start]),
  );
  while (end === undefined) await vi.advanceTimersByTimeAsync(1);
  return end;
}

const unavailable = (after?: string): Response =>
  new Response('{"code":"store_unavailable"}', {
    status: 503,
    headers: after === undefined ? {} : { "retry-after": after },
  });

describe("a refresh that goes wrong", () => {
  it("is asked for again at once, twice, with the same token, where the network fails", async () => {
    const { service, authFetch } = await expired(["network", "network"]);
    const [status, ms] = await timed(authFetch("/me"));
    expect(status).toBe(200);
    expect(ms).toBeLessThan(100);
    expect(new Set(service.calls("/auth/refresh").map(({ headers }) => headers.get("authorization"))).size).toBe(1);
    expect([service.refreshes, vi.getTimerCount()]).toEqual([3, 0]);
  });

  it.each(["lost", "hang after"] as const)("heals where the exchange was made and its answer is %s", async (fault) => {
    const { service, authFetch, onSignOut } = await expired([fault]);
    const [status, ms] = await timed(authFetch("/me"));
    expect([status, service.refreshes, onSignOut.mock.calls]).toEqual([200, 2, []]);
    expect(ms).toBeLessThan(fault === "lost" ? 100 : 4100);
  });

  it("is given up after 4 s, thrice; then the calls fail as without a network, and the login stays", async () => {
    const { service, authFetch, onSignOut } = await expired(["hang", "hang", "hang"]);
    const results = await Promise.all([timed(authFetch("/me")), timed(authFetch("/me"))]);
    for (const [outcome, ms] of results) {
      expect(outcome).toBe("TypeError");
      expect(ms).toBeGreaterThanOrEqual(12_000);
      expect(ms).toBeLessThan(12_100);
    }
    expect([service.refreshes, onSignOut.mock.calls]).toEqual([3, []]);
    expect((await timed(authFetch("/me")))[0]).toBe(200);
  });

  it("fails the calls that wait, not the login, where the network stays away", async () => {
    const { service, authFetch, onSignOut } = await expired(["network", "network", "network"]);
    expect((await timed(authFetch("/me")))[0]).toBe("TypeError");
    expect([service.refreshes, onSignOut.mock.calls]).toEqual([3, []]);
    expect((await timed(authFetch("/me")))[0]).toBe(200);
  });

  it("gives up a body that does not end, too", async () => {
    const { service } = await expired([]);
    let stuck = 0;
    const authFetch = createAuthFetch({
      mode: "bearer",
      baseUrl: ORIGIN,
      fetch: async (input, init) => {
        if (!String(input).endsWith("/auth/refresh") || stuck++ > 0) return service.fetch(input, init);
        const start = (body: ReadableStreamDefaultController): void =>
          init?.signal?.addEventListener("abort", () => body.error(init.signal?.reason));
        return new Response(new ReadableStream({ start }));
      },
    });
    await authFetch.signedIn(service.login());
    service.expire();
    const [status, ms] = await timed(authFetch("/me"));
    expect([status, stuck]).toEqual([200, 2]);
    expect(ms).toBeGreaterThanOrEqual(4000);
  });

  it("waits as long as 503 says in Retry-After, a second where it says nothing", async () => {
    const { service, authFetch } = await expired([unavailable("2"), unavailable()]);
    const [status, ms] = await timed(authFetch("/me"));
    expect([status, service.refreshes]).toEqual([200, 3]);
    expect(ms).toBeGreaterThanOrEqual(3000);
    expect(ms).toBeLessThan(3100);
  });

  it("gives every waiting call the 503 where it lasts, keeps the login, and asks no more until the time is over", async () => {
    const { service, authFetch, onSignOut } = await expired([unavailable("60")]);
    const answers = [authFetch("/me"), authFetch("/me")];
    const results = await Promise.all(answers.map(timed));
    expect(results.map(([status]) => status)).toEqual([503, 503]);
    for (const answer of answers) expect(await (await answer).json()).toEqual({ code: "store_unavailable" });
    vi.setSystemTime(Date.now() - 3_600_000); // a clock that is put back makes it no longer
    expect((await timed(authFetch("/me")))[0]).toBe(503);
    expect([service.refreshes, onSignOut.mock.calls]).toEqual([1, []]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect((await timed(authFetch("/me")))[0]).toBe(200);
    expect(service.refreshes).toBe(2);
  });

  it.each([500, 502, 504, 429])("asks again after %i, and then gives it", async (status) => {
    const broken = (): Response => new Response("<h1>Oops</h1>", { status });
    const { service, authFetch } = await expired([broken(), broken(), broken()]);
    expect((await timed(authFetch("/me")))[0]).toBe(status);
    expect(service.refreshes).toBe(3);
  });

  it.each(["session_ended", "session_unknown", "token_reused", "token_expired", "user_not_found", "token_invalid"])(
    "signs out where it is refused with 401 %s: once, with the code, and calls get their own 401",
    async (code) => {
      const { service, authFetch, onSignOut } = await expired([Response.json({ code }, { status: 401 })]);
      const answers = await Promise.all([authFetch("/me"), authFetch("/me")].map(timed));
      expect(answers.map(([status]) => status)).toEqual([401, 401]);
      expect([service.refreshes, onSignOut.mock.calls]).toEqual([1, [[code]]]);
      expect((await timed(authFetch("/me")))[0]).toBe(401);
      expect(await authFetch.refresh()).toBe(false);
      expect([service.refreshes, onSignOut.mock.calls.length]).toEqual([1, 1]);
    },
  );

  it("signs out where it is refused with a 401 of another making", async () => {
    const { authFetch, onSignOut } = await expired([new Response("no", { status: 401 })]);
    expect((await timed(authFetch("/me")))[0]).toBe(401);
    expect(onSignOut.mock.calls).toEqual([[undefined]]);
  });

  it("shows a refusal that is no end of the login: 403, 404", async () => {
    const { authFetch, onSignOut } = await expired([Response.json({ code: "csrf_origin" }, { status: 403 })]);
    const call = authFetch("/me");
    expect((await timed(call))[0]).toBe(403);
    expect(await (await call).json()).toEqual({ code: "csrf_origin" });
    expect(onSignOut).not.toHaveBeenCalled();
  });

  it("asks whether the session lives where a token was revoked", async () => {
    const { service, authFetch, onSignOut } = await expired([]);
    service.revoke();
    expect((await timed(authFetch("/me")))[0]).toBe(401);
    expect([service.refreshes, onSignOut.mock.calls]).toEqual([1, [["session_ended"]]]);
  });

  it("never asks twice for one call", async () => {
    const { service } = await expired([]);
    const authFetch = createAuthFetch({
      mode: "bearer",
      baseUrl: ORIGIN,
      fetch: async (input, init) =>
        String(input).endsWith("/auth/refresh")
          ? service.fetch(input, init)
          : Response.json({ code: "token_expired" }, { status: 401 }),
    });
    await authFetch.signedIn(service.login());
    expect((await timed(authFetch("/me")))[0]).toBe(401);
    expect(service.refreshes).toBe(1);
  });

  it.each(["invalid_credentials", "token_invalid", "wrong_token_type", "csrf_missing", undefined])(
    "neither refreshes nor sends a call again for 401 %s",
    async (code) => {
      const fetch = vi.fn(async () => Response.json({ code }, { status: 401 }));
      const authFetch = createAuthFetch({ mode: "bearer", baseUrl: ORIGIN, fetch });
      await authFetch.signedIn({ access_token: "a", refresh_token: "r", expires_in: 900 });
      const answer = await authFetch("/login", { method: "POST" });
      expect([answer.status, await answer.json(), fetch.mock.calls.length]).toEqual([
        401,
        { ...(code && { code }) },
        1,
      ]);
    },
  );

  it("forgets an answer that comes after somebody signed in anew", async () => {
    const { service, authFetch, onSignOut } = await expired([]);
    service.delay = 50;
    service.faults.push(Response.json({ code: "session_ended" }, { status: 401 }));
    const call = authFetch("/me");
    await vi.advanceTimersByTimeAsync(60);
    await authFetch.signedIn(service.login());
    expect((await timed(call))[0]).toBe(200);
    expect([service.refreshes, onSignOut.mock.calls]).toEqual([1, []]);
    expect(service.seen.at(-1)?.headers.get("authorization")).toMatch(/^Bearer a-s2/);
  });

  it("stays signed in where a logout fails, and says so; a 401 is the end, too", async () => {
    const { service, authFetch, onSignOut } = await expired([]);
    service.logouts.push(unavailable("60"));
    expect((await timed(authFetch.logout()))[0]).toBe(503);
    expect(onSignOut).not.toHaveBeenCalled();
    service.logouts.push(new Response(null, { status: 401 }));
    expect((await timed(authFetch.logout()))[0]).toBe(401);
    expect(onSignOut.mock.calls).toEqual([["logout"]]);
  });

  it("leaves a page that may store nothing alone: calls go out as they are", async () => {
    const service = new FakeService("cookie");
    service.login();
    openPage(service, { blocked: true });
    const onSignOut = vi.fn();
    const authFetch = createAuthFetch({ fetch: service.fetch, onSignOut });
    expect((await timed(authFetch("/me")))[0]).toBe(200);
    await authFetch.signedIn({ expires_in: 900 });
    expect((await timed(authFetch.logout()))[0]).toBe(204);
    expect(onSignOut.mock.calls).toEqual([["logout"]]);
  });
});
