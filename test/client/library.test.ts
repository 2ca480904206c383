import { createAuthFetch } from "jwt-extended/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ERROR_CODES } from "../../src/errors.ts";
import { act, who } from "../support/answers.ts";
import { nodeHarness } from "../support/harness/node.ts";
import { readyRoutes } from "../support/ready.ts";
import { managerOf, serving } from "../support/serve.ts";
import { Jar } from "./jar.ts";
import { Locks, settled } from "./page.ts";

const HOUR_MS = 3_600_000;
const KINDS = ["cookie", "bearer"] as const;
afterEach(() => vi.unstubAllGlobals());

interface Place {
  readonly url: string;
  readonly open: (options?: object) => ReturnType<typeof createAuthFetch>;
  readonly login: (authFetch: ReturnType<typeof createAuthFetch>, scope?: string) => Promise<void>;
  readonly manager: ReturnType<typeof managerOf>;
  readonly jar: Jar;
  /** Every request that reached the service. */
  readonly paths: string[];
  /** Time passes, for the service and for the cookies. */
  later(seconds: number): void;
}

/** A real service of this library, its clock `wrong` milliseconds off that of the client, and clients for it. */
async function withService(
  mode: (typeof KINDS)[number],
  use: (place: Place) => Promise<void>,
  {
    wrong = 0,
    fetch: through,
    ...more
  }: { wrong?: number; fetch?: (send: typeof fetch) => typeof fetch } & object = {},
): Promise<void> {
  let passed = 0;
  const clock = (): number => Date.now() + wrong + passed;
  const manager = managerOf({ clock, tokenLocation: mode === "cookie" ? "cookies" : "headers", ...more });
  const login = act("/login", async (tools) =>
    tools.sendTokens(
      await manager.createTokenPair("ada", {
        fresh: true,
        claims: { scope: ((await tools.body()) as { scope?: string })?.scope },
      }),
    ),
  );
  const routes = [login, who(), who({ fresh: "5m" }, "/fresh"), who({ scopes: "write" }, "/scope")];
  await serving(nodeHarness, manager, routes, readyRoutes(manager), async ({ url }) => {
    const jar = new Jar(() => Date.now() + passed);
    const paths: string[] = [];
    const count: typeof fetch = (input, init) => {
      paths.push(new URL(input instanceof Request ? input.url : input).pathname);
      return jar.fetch(input, init);
    };
    if (mode === "cookie") {
      vi.stubGlobal("document", {
        get cookie() {
          return jar.readable;
        },
      });
      vi.stubGlobal("location", { href: `${url}/page`, origin: url });
      vi.stubGlobal("navigator", { locks: new Locks() });
    }
    await use({
      url,
      manager,
      jar,
      paths,
      open: (options = {}) => createAuthFetch({ mode, baseUrl: url, fetch: through?.(count) ?? count, ...options }),
      login: async (authFetch, scope) => {
        const init = {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ scope }),
        };
        await authFetch.signedIn(await (await authFetch("/login", init)).json());
      },
      later: (seconds) => {
        passed += seconds * 1000;
      },
    });
  });
}

const bodyOf = async (call: Promise<Response>): Promise<readonly [number, unknown]> => {
  const answer = await call;
  return [answer.status, answer.status === 204 ? null : await answer.json()];
};
const ada = expect.objectContaining({ id: "ada" });

describe.each(KINDS)("against the library, %s mode", (mode) => {
  it("logs in, reads, writes, refreshes, logs out", async () => {
    await withService(mode, async ({ open, login, later, paths }) => {
      const authFetch = open();
      expect((await bodyOf(authFetch("/me")))[0]).toBe(401);
      await login(authFetch);
      expect(await bodyOf(authFetch("/me"))).toEqual([200, ada]);
      expect(await bodyOf(authFetch("/me", { method: "POST", body: "{}" }))).toEqual([200, ada]);
      paths.length = 0;
      later(16 * 60);
      const calls = [authFetch("/me"), authFetch("/me", { method: "POST" }), authFetch("/me", { method: "DELETE" })];
      expect(await Promise.all(calls.map(bodyOf))).toEqual([
        [200, ada],
        [200, ada],
        [200, ada],
      ]);
      expect(paths.filter((path) => path === "/auth/refresh").length).toBe(1);
      expect((await authFetch.logout()).status).toBe(204);
      expect((await bodyOf(authFetch("/me")))[0]).toBe(401);
    });
  });

  it.each([-HOUR_MS, HOUR_MS])("bears a service whose clock is %i ms off", async (wrong) => {
    await withService(
      mode,
      async ({ open, login, later, paths }) => {
        const authFetch = open();
        await login(authFetch);
        for (let i = 0; i < 3; i++) expect(await bodyOf(authFetch("/me", { method: "POST" }))).toEqual([200, ada]);
        expect(paths).not.toContain("/auth/refresh");
        later(16 * 60);
        for (let i = 0; i < 3; i++) expect(await bodyOf(authFetch("/me", { method: "POST" }))).toEqual([200, ada]);
        expect(paths.filter((path) => path === "/auth/refresh").length).toBe(1);
      },
      { wrong },
    );
  });

  it("gets the same successor where the answer to a refresh is lost", async () => {
    let lose = false;
    const through =
      (send: typeof fetch): typeof fetch =>
      async (input, init) => {
        // The answer is lost before the browser could see its cookies.
        if (lose && String(input).endsWith("/auth/refresh")) {
          lose = false;
          await fetch(input, { ...init, headers: [...new Headers(init?.headers), ["Cookie", cookies]] });
          throw new TypeError("fetch failed");
        }
        return send(input, init);
      };
    let cookies = "";
    await withService(
      mode,
      async ({ open, login, later, jar, manager, paths }) => {
        const raced = vi.fn();
        manager.on("raced", raced);
        const authFetch = open();
        await login(authFetch);
        later(16 * 60);
        cookies = `__Host-refresh_token=${jar.value("__Host-refresh_token")}`;
        lose = true;
        expect(await bodyOf(authFetch("/me", { method: "POST" }))).toEqual([200, ada]);
        expect([raced.mock.calls.length, paths.filter((path) => path === "/auth/refresh").length]).toEqual([1, 1]);
        later(16 * 60);
        expect(await bodyOf(authFetch("/me"))).toEqual([200, ada]);
      },
      { fetch: through },
    );
  });

  it("signs out where the session was ended on the server", async () => {
    await withService(mode, async ({ open, login, manager, jar }) => {
      const onSignOut = vi.fn();
      const authFetch = open({ onSignOut });
      await login(authFetch);
      const [session] = await manager.listSessions("ada");
      await manager.revokeSession(session?.sessionId as string);
      expect((await bodyOf(authFetch("/me")))[0]).toBe(401);
      expect(onSignOut.mock.calls).toEqual([["session_ended"]]);
      expect(jar.readable).toBe("");
      expect((await bodyOf(authFetch("/me")))[0]).toBe(401);
      expect(onSignOut.mock.calls.length).toBe(1);
    });
  });

  it("signs out where the store has forgotten everything, and asks no more", async () => {
    await withService(mode, async ({ open, login, manager, paths }) => {
      const onSignOut = vi.fn();
      const authFetch = open({ onSignOut });
      await login(authFetch);
      await manager.revokeEverything();
      await manager.purge();
      for (let i = 0; i < 3; i++) expect((await bodyOf(authFetch("/me")))[0]).toBe(401);
      expect(onSignOut.mock.calls.length).toBe(1);
      expect(paths.filter((path) => path === "/auth/refresh").length).toBe(1);
    });
  });

  it("steps up by a new login: fresh again, and with more scope", async () => {
    await withService(mode, async ({ open, login, later }) => {
      const wanted: unknown[] = [];
      const authFetch = open({
        onStepUp: async (step: { scope?: string }) => {
          wanted.push(step);
          await login(authFetch, step.scope);
          return true;
        },
      });
      await login(authFetch);
      later(10 * 60);
      expect(await bodyOf(authFetch("/fresh", { method: "POST" }))).toEqual([200, ada]);
      expect(await bodyOf(authFetch("/scope", { method: "POST" }))).toEqual([200, ada]);
      expect(wanted).toEqual([
        { code: "token_not_fresh", error: "insufficient_user_authentication", max_age: "300" },
        { code: "insufficient_scope", error: "insufficient_scope", scope: "write" },
      ]);
    });
  });
});

describe("against the library, in cookies only", () => {
  it.each([
    ["csrfInCookies: false", { csrfInCookies: false }, {}],
    ["csrfMode: fetch-metadata", { csrfMode: "fetch-metadata" }, { csrfCookies: false }],
    ["sessionCookie: true", { sessionCookie: true }, {}],
    ["cookieSecure: false", { cookieSecure: false }, {}],
    [
      "names of your own",
      {
        accessCsrfCookieName: "a",
        refreshCsrfCookieName: "r",
        accessCsrfHeaderName: "X-Z",
        refreshCsrfHeaderName: "X-Z",
      },
      { csrfCookies: { access: "a", refresh: "r" }, csrfHeader: "X-Z" },
    ],
    ["cookieDomain", { cookieDomain: "example.com" }, {}],
  ])("works with %s", async (_, settings, options) => {
    await withService(
      "cookie",
      async ({ open, login, later, paths }) => {
        const both = [open(options), open(options)] as const;
        await login(both[0]);
        expect(await bodyOf(both[0]("/me", { method: "POST" }))).toEqual([200, ada]);
        later(16 * 60);
        await settled();
        expect(await bodyOf(both[0]("/me", { method: "POST" }))).toEqual([200, ada]);
        expect(paths.filter((path) => path === "/auth/refresh").length).toBe(1);
        expect((await both[0].logout()).status).toBe(204);
      },
      settings,
    );
  });

  it("two tabs whose access token expires at once send exactly one refresh", async () => {
    await withService("cookie", async ({ open, login, later, paths }) => {
      const both = [open(), open()] as const;
      await login(both[0]);
      for (let round = 1; round <= 3; round++) {
        later(16 * 60);
        const calls = both.flatMap((tab) => [tab("/me"), tab("/me", { method: "POST" })]);
        expect(await Promise.all(calls.map(bodyOf))).toEqual(Array(4).fill([200, ada]));
        expect(paths.filter((path) => path === "/auth/refresh").length).toBe(round);
        await settled(120);
      }
    });
  });
});

it("acts on codes that exist, and on no others", () => {
  const codes = Object.keys(ERROR_CODES);
  expect(codes.filter((code) => /^token_(missing|expired|revoked)$/.test(code))).toEqual([
    "token_missing",
    "token_expired",
    "token_revoked",
  ]);
  expect(codes.filter((code) => /_(fresh|scope)$/.test(code))).toEqual(["token_not_fresh", "insufficient_scope"]);
});
