import { createServer } from "node:http";
import { createAuthFetch, type StepUp } from "jwt-extended/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { listen } from "../support/harness/tools.ts";
import { openPage, settled } from "./page.ts";
import { FakeService, ORIGIN } from "./service.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function signedIn(options: object = {}) {
  const service = new FakeService("bearer");
  const authFetch = createAuthFetch({ mode: "bearer", baseUrl: ORIGIN, fetch: service.fetch, ...options });
  await authFetch.signedIn(service.login());
  return { service, authFetch };
}

const endOf = (call: Promise<Response>): Promise<unknown> =>
  call.then(
    ({ status }) => status,
    (error) => error,
  );

describe("a call to elsewhere", () => {
  it.each([
    "https://other.example.com/me",
    "http://app.example.com/me",
    "https://app.example.com:8443/me",
    "https://app.example.com.evil.example/me",
    "https://app.example.com@evil.example/me",
    "//evil.example/me",
    "\\\\evil.example/me",
    "\t//evil.example/me",
    "/\n/evil.example/me",
    "data:text/plain,me",
  ])("carries nothing and is left as it is: %j", async (address) => {
    for (const mode of ["bearer", "cookie"] as const) {
      const service = new FakeService(mode);
      service.login();
      openPage(service);
      const fetch = vi.fn(async (..._: unknown[]) => Response.json({ code: "token_expired" }, { status: 401 }));
      const authFetch = createAuthFetch({ mode, fetch });
      await authFetch.signedIn({ access_token: "a", refresh_token: "r", csrf_access: "c", csrf_refresh: "c" });
      const init = { method: "POST", headers: { "X-Own": "1" } };
      expect((await authFetch(address, init)).status).toBe(401);
      expect(fetch.mock.calls).toEqual([[new URL(address, ORIGIN).href, init]]);
      if (!/^(data|[\\/\s])/.test(address)) {
        const request = new Request(address.replace("app.example.com@", ""), init);
        await authFetch(request);
        expect(fetch.mock.calls[1]?.[0]).toBe(request);
        expect([...request.headers]).toEqual([["x-own", "1"]]);
      }
    }
  });

  it("may be the refresh: it goes where the settings say", async () => {
    const { service, authFetch } = await signedIn({ refreshUrl: "https://auth.example.com/auth/refresh" });
    service.expire();
    const sent = vi.spyOn(service, "fetch");
    expect([(await authFetch("/me")).status, sent.mock.calls.length]).toEqual([200, 0]);
    expect(service.refreshes).toBe(1);
  });

  it("is where a redirect leads: neither token nor CSRF value goes along", async () => {
    const got: (string | undefined)[][] = [];
    const elsewhere = await listen(
      createServer((req, res) => {
        got.push([req.method, req.headers.authorization, req.headers["x-csrf-token"] as string | undefined]);
        res.end("{}");
      }),
    );
    const here = await listen(createServer((_, res) => res.writeHead(307, { location: `${elsewhere.url}/x` }).end()));
    try {
      const bearer = createAuthFetch({ mode: "bearer", baseUrl: here.url });
      await bearer.signedIn({ access_token: "a", refresh_token: "r", expires_in: 900 });
      expect((await bearer("/me")).status).toBe(200);
      expect(await endOf(bearer("/me", { method: "POST" }))).toBeInstanceOf(TypeError);
      expect(await bearer.refresh().catch((error) => error)).toBeInstanceOf(TypeError);
      const cookie = createAuthFetch({ baseUrl: here.url });
      await cookie.signedIn({ csrf_access: "c", csrf_refresh: "c", expires_in: 900 });
      expect((await cookie("/me")).status).toBe(200);
      expect(await endOf(cookie("/me", { method: "POST" }))).toBeInstanceOf(TypeError);
    } finally {
      await Promise.all([here.close(), elsewhere.close()]);
    }
    expect(got).toEqual([
      ["GET", undefined, undefined],
      ["GET", undefined, undefined],
    ]);
  });
});

describe("a call that is aborted", () => {
  it("before it is made is not made", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { service, authFetch } = await signedIn();
    vi.setSystemTime(Date.now() + 900_000);
    const reason = new Error("changed my mind");
    expect(await endOf(authFetch("/me", { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(service.seen).toEqual([]);
  });

  it.each(["init", "request"])(
    "while it waits for a refresh ends at once, and the refresh goes on for the others (%s)",
    async (way) => {
      const { service, authFetch } = await signedIn();
      service.expire();
      service.delay = 60;
      const abort = new AbortController();
      const { signal } = abort;
      const waiting = endOf(
        way === "init" ? authFetch("/me", { signal }) : authFetch(new Request(`${ORIGIN}/me`, { signal })),
      );
      const other = authFetch("/me");
      await settled(90);
      expect(service.refreshes).toBe(1);
      abort.abort();
      const start = performance.now();
      expect(await waiting).toMatchObject({ name: "AbortError" });
      expect(performance.now() - start).toBeLessThan(40);
      expect((await other).status).toBe(200);
      expect([service.refreshes, service.calls("/me").length]).toEqual([1, 3]);
    },
  );

  it("while a password is asked for ends at once", async () => {
    let answer: (again: boolean) => void = () => {};
    const onStepUp = (): Promise<boolean> => new Promise((done) => (answer = done));
    const { service, authFetch } = await signedIn({ onStepUp });
    await authFetch.refresh();
    const abort = new AbortController();
    const waiting = endOf(authFetch("/fresh", { signal: abort.signal }));
    await settled();
    abort.abort();
    expect(await waiting).toMatchObject({ name: "AbortError" });
    answer(true);
    await settled();
    expect(service.calls("/fresh").length).toBe(1);
  });
});

describe("a body that can be sent once only", () => {
  const stream = (): ReadableStream => new Blob(["once"]).stream();

  it("is sent once: its 401 is the answer", async () => {
    const { service, authFetch } = await signedIn();
    service.expire();
    const init = { method: "POST", body: stream(), duplex: "half" } as RequestInit;
    expect((await authFetch("/me", init)).status).toBe(401);
    expect([service.refreshes, service.calls("/me").length]).toEqual([0, 1]);
  });

  it("waits for a token that is good where the old one is known to be over", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { service, authFetch } = await signedIn();
    service.expire();
    vi.setSystemTime(Date.now() + 900_000);
    const init = { method: "POST", body: stream(), duplex: "half" } as RequestInit;
    expect((await authFetch("/me", init)).status).toBe(200);
    expect(service.calls().map(({ path, body }) => [path, body])).toEqual([
      ["/auth/refresh", ""],
      ["/me", "once"],
    ]);
  });

  it("is kept where it stands in a Request, which the caller may not read again", async () => {
    const { service, authFetch } = await signedIn();
    service.expire();
    const request = new Request(`${ORIGIN}/me`, { method: "POST", body: stream(), duplex: "half" } as RequestInit);
    expect((await authFetch(request)).status).toBe(200);
    expect(service.calls("/me").map(({ body }) => body)).toEqual(["once", "once"]);
  });
});

describe("a step-up", () => {
  it("is asked for with what the route wants; then the call is sent again, once", async () => {
    const wanted: StepUp[] = [];
    const onStepUp = async (step: StepUp): Promise<boolean> => {
      wanted.push(step);
      if (step.code === "token_not_fresh") await authFetch.signedIn(service.login());
      return true;
    };
    const { service, authFetch } = await signedIn({ onStepUp });
    await authFetch.refresh();
    expect((await authFetch("/fresh", { method: "POST", body: "pay" })).status).toBe(200);
    expect(service.calls("/fresh").map(({ body }) => body)).toEqual(["pay", "pay"]);
    const refused = await authFetch("/scope");
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: "insufficient_scope" }]);
    expect(wanted).toEqual([
      { code: "token_not_fresh", error: "insufficient_user_authentication", max_age: "300" },
      { code: "insufficient_scope", error: "insufficient_scope", scope: "write admin" },
    ]);
    expect(service.calls("/scope").length).toBe(2);
  });

  it("comes after a refresh where both are needed", async () => {
    const onStepUp = vi.fn(async () => {
      await authFetch.signedIn(service.login());
      return true;
    });
    const { service, authFetch } = await signedIn({ onStepUp });
    service.expire();
    expect((await authFetch("/fresh")).status).toBe(200);
    expect([service.refreshes, onStepUp.mock.calls.length, service.calls("/fresh").length]).toEqual([1, 1, 3]);
  });

  it("is refused by false, or where nobody asks: the call gets its answer", async () => {
    for (const onStepUp of [() => false, async () => false, undefined]) {
      const { service, authFetch } = await signedIn({ onStepUp });
      await authFetch.refresh();
      const answer = await authFetch("/fresh");
      expect([answer.status, (await answer.json()).code, service.calls("/fresh").length]).toEqual([
        401,
        "token_not_fresh",
        1,
      ]);
    }
  });

  it("is asked for once for calls that come together; other wants come one after the other", async () => {
    let open = 0;
    const asked: string[] = [];
    const onStepUp = async ({ code }: StepUp): Promise<boolean> => {
      asked.push(code);
      expect(++open).toBe(1);
      await settled();
      if (code === "token_not_fresh") await authFetch.signedIn(service.login());
      open--;
      return true;
    };
    const { service, authFetch } = await signedIn({ onStepUp });
    await authFetch.refresh();
    const answers = await Promise.all([authFetch("/fresh"), authFetch("/fresh"), authFetch("/scope")]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403]);
    expect(asked).toEqual(["token_not_fresh", "insufficient_scope"]);
  });

  it("that throws fails the call, and the next one asks anew", async () => {
    const onStepUp = vi.fn(() => Promise.reject(new Error("dialog broke")));
    const { authFetch } = await signedIn({ onStepUp });
    await authFetch.refresh();
    await expect(authFetch("/fresh")).rejects.toThrow("dialog broke");
    await expect(authFetch("/fresh")).rejects.toThrow("dialog broke");
    expect(onStepUp).toHaveBeenCalledTimes(2);
  });
});
