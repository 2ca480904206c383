import { describe, expect, it } from "vitest";
import { act, passed, refused, who } from "../support/answers.ts";
import { type Browser, browser, cleared } from "../support/browser.ts";
import { claimsOf, forge, seconds } from "../support/forge.ts";
import type { AnyManager, Harness } from "../support/harness/types.ts";
import { readyRoutes } from "../support/ready.ts";
import { bearer, type Client, managerOf, serving } from "../support/serve.ts";
import { brokenStore } from "../support/stores.ts";

const ALL = ["__Host-access_token", "__Host-csrf_access", "__Host-csrf_refresh", "__Host-refresh_token"];

/** Logging out and the page of devices, by the ready routes. */
export function feature(harness: Harness): void {
  const use = (
    manager: AnyManager,
    body: (client: Client, page: (who?: string) => Promise<Browser>) => Promise<void>,
  ) => {
    const login = act("/login", async (tools) =>
      tools.sendTokens(
        await manager.createTokenPair(tools.query.get("who") ?? "ada", { client: { userAgent: "a browser" } }),
      ),
    );
    return serving(harness, manager, [login, who()], readyRoutes(manager), (client) =>
      body(client, async (name = "ada") => {
        const page = browser(client);
        await page.get(`/login?who=${name}`);
        return page;
      }),
    );
  };
  const inCookies = (options: object = {}) => managerOf({ tokenLocation: ["cookies"], ...options });
  const sid = (token: string) => String(claimsOf(token).sid);
  /** The same token, made half an hour ago. */
  const aged = (token: string) => forge({ ...claimsOf(token), iat: seconds() - 1800, exp: seconds() - 900 });

  describe("ready routes: logout", () => {
    it("ends the session of whatever cookie came, and answers twice alike", async () => {
      const manager = inCookies();
      await use(manager, async (_client, page) => {
        const changes: [string, (ada: Browser) => unknown, "access" | "refresh"][] = [
          ["both", () => {}, "access"],
          ["both, by the value of the refresh token", () => {}, "refresh"],
          ["only access", (ada) => ada.jar.delete("__Host-refresh_token"), "access"],
          ["only refresh", (ada) => ada.jar.delete("__Host-access_token"), "refresh"],
          ["expired access", (ada) => ada.jar.set("__Host-access_token", aged(ada.access)), "access"],
          ["a broken access token", (ada) => ada.jar.set("__Host-access_token", "x.y.z"), "refresh"],
        ];
        for (const [what, change, kind] of changes) {
          const [ada, other] = [await page(), await page()];
          const [id, token] = [sid(ada.access), ada.refresh];
          change(ada);
          const before = new Map(ada.jar);
          for (let times = 0; times < 2; times++) {
            for (const [name, value] of before) ada.jar.set(name, value);
            const answer = await ada.ask("POST", "/auth/logout", kind);
            expect([what, answer.status, answer.text]).toEqual([what, 204, ""]);
            expect(answer.header("cache-control")).toEqual(["no-store"]);
            expect(cleared(answer).sort()).toEqual(ALL);
          }
          expect([what, await manager.getSession(id)]).toEqual([what, undefined]);
          await expect(manager.refreshTokenPair(token)).rejects.toMatchObject({ code: "session_ended" });
          passed(await other.get("/me"));
        }
      });
    });

    it("does not end the session of somebody whose cookie was planted", async () => {
      for (const options of [{}, { identityClaim: "uid" }]) {
        const manager = inCookies(options);
        await use(manager, async (_client, page) => {
          const [ada, eve] = [await page("ada"), await page("eve")];
          const own = sid(ada.access);
          ada.jar.set("__Host-refresh_token", eve.refresh);
          expect((await ada.ask("POST", "/auth/logout")).status).toBe(204);
          expect(await manager.getSession(own)).toBeUndefined();
          expect(await manager.getSession(sid(eve.refresh))).toBeDefined();
        });
      }
    });

    it("ends two sessions of one person together", async () => {
      const manager = inCookies();
      await use(manager, async (_client, page) => {
        const [one, two] = [await page(), await page()];
        one.jar.set("__Host-refresh_token", two.refresh);
        expect((await one.ask("POST", "/auth/logout")).status).toBe(204);
        expect(await manager.listSessions("ada")).toEqual([]);
      });
    });

    it("takes no forged token, and is quiet where none came", async () => {
      const manager = inCookies();
      await use(manager, async ({ send }, page) => {
        const ada = await page();
        const forged = forge(claimsOf(ada.access), undefined, "another-secret-of-at-least-32-bytes!");
        const headers = [["Cookie", `__Host-access_token=${forged}`] as const, ["X-CSRF-TOKEN", "x"] as const];
        refused(await send({ method: "POST", path: "/auth/logout", headers }), 401, "token_invalid");
        const empty = await send({ method: "POST", path: "/auth/logout" });
        expect([empty.status, cleared(empty).sort()]).toEqual([204, ALL]);
        passed(await ada.get("/me"));
      });
    });

    it("takes tokens in headers and JSON, and then sets no cookie", async () => {
      const manager = managerOf();
      await use(manager, async ({ send, postJson, get }) => {
        const pairs = await Promise.all(["a", "b", "c", "d"].map(() => manager.createTokenPair("ada")));
        const [byAccess, byRefresh, byJson, byExpired] = pairs as [
          (typeof pairs)[0],
          (typeof pairs)[0],
          (typeof pairs)[0],
          (typeof pairs)[0],
        ];
        const post = (token: string) => send({ method: "POST", path: "/auth/logout", headers: [bearer(token)] });
        const answers = [
          await post(byAccess?.access_token ?? ""),
          await post(byRefresh?.refresh_token ?? ""),
          await postJson("/auth/logout", JSON.stringify({ refresh_token: byJson?.refresh_token })),
          await post(aged(byExpired?.access_token ?? "")),
          await send({ method: "POST", path: "/auth/logout" }),
        ];
        for (const answer of answers) expect([answer.status, answer.setCookies]).toEqual([204, []]);
        for (const pair of pairs) refused(await get("/me", bearer(pair.access_token)), 401, "token_revoked");
      });
    });

    it("says so where the store does not answer, and leaves the cookies", async () => {
      const manager = inCookies();
      const dead = inCookies({ store: brokenStore(() => Promise.reject(new Error("down"))) });
      let ada: Browser | undefined;
      await use(manager, async (_client, page) => {
        ada = await page();
      });
      const { access_token, refresh_token } = { access_token: ada?.access, refresh_token: ada?.refresh };
      await use(dead, async ({ send }) => {
        const cookies = `__Host-access_token=${access_token}; __Host-refresh_token=${refresh_token}`;
        for (const [path, kind] of [
          ["/auth/logout", "access"],
          ["/auth/refresh", "refresh"],
          ["/auth/logout-all", "access"],
        ]) {
          const csrf = ada?.jar.get(`__Host-csrf_${kind}`) ?? "";
          const headers = [["Cookie", cookies] as const, ["X-CSRF-TOKEN", csrf] as const];
          const answer = await send({ method: "POST", path, headers });
          refused(answer, 503, "store_unavailable");
          expect(Number(answer.header("retry-after")[0])).toBeGreaterThan(0);
        }
      });
    });

    it("gives new CSRF values at the next login, and the old ones fail", async () => {
      await use(inCookies(), async ({ send }, page) => {
        const ada = await page();
        const old = new Map(ada.jar);
        await ada.ask("POST", "/auth/logout");
        await ada.get("/login");
        for (const name of ALL) expect(ada.jar.get(name)).not.toBe(old.get(name));
        const csrf = ["X-CSRF-TOKEN", old.get("__Host-csrf_access") ?? ""] as const;
        refused(await send({ method: "POST", path: "/me", headers: [ada.line(), csrf] }), 403, "csrf_mismatch");
      });
    });
  });

  describe("ready routes: sessions", () => {
    const ids = (answer: { json(): unknown }) =>
      (answer.json() as { sessions: { sessionId: string }[] }).sessions.map(({ sessionId }) => sessionId);

    it("are listed to their owner, without anything that could be used", async () => {
      const manager = inCookies();
      await use(manager, async ({ send }, page) => {
        const [first, second, bob] = [await page(), await page(), await page("bob")];
        const answer = await second.get("/auth/sessions");
        expect([answer.status, answer.header("cache-control")]).toEqual([200, ["no-store"]]);
        const { sessions } = answer.json() as { sessions: Record<string, unknown>[] };
        expect(sessions.map(({ sessionId }) => sessionId).sort()).toEqual(
          [sid(first.access), sid(second.access)].sort(),
        );
        for (const one of sessions) {
          expect(Object.keys(one).sort()).toEqual(["createdAt", "current", "lastUsedAt", "sessionId", "userAgent"]);
          expect(one).toMatchObject({ userAgent: "a browser", current: one.sessionId === sid(second.access) });
        }
        for (const value of first.jar.values()) expect(answer.text).not.toContain(value);
        expect(ids(await bob.get("/auth/sessions"))).toEqual([sid(bob.access)]);
        refused(await send({ path: "/auth/sessions" }), 401, "token_missing");
        const only = ["Cookie", `__Host-refresh_token=${first.refresh}`] as const;
        expect((await send({ path: "/auth/sessions", headers: [only] })).status).toBe(401);
      });
    });

    it("end one by one, and only for their owner", async () => {
      const manager = inCookies();
      await use(manager, async (_client, page) => {
        const [ada, phone, bob] = [await page(), await page(), await page("bob")];
        const end = (id: string) => ada.ask("DELETE", `/auth/sessions/${id}`);
        for (const id of [sid(bob.access), "nowhere", "%2e%2e", "x".repeat(90)]) {
          const answer = await end(id);
          expect([id, answer.status]).toEqual([id, 404]);
        }
        passed(await bob.get("/me"), "bob");
        expect((await end(sid(phone.access))).status).toBe(204);
        refused(await phone.get("/me"), 401, "token_revoked");
        expect((await end(sid(phone.access))).status).toBe(404);
        expect(ids(await ada.get("/auth/sessions"))).toEqual([sid(ada.access)]);
        ada.jar.set("__Host-csrf_access", "wrong");
        refused(await end(sid(ada.access)), 403, "csrf_mismatch");
        passed(await ada.get("/me"));
      });
    });

    it("end all but this one", async () => {
      const manager = inCookies();
      await use(manager, async (_client, page) => {
        const [ada, phone, bob] = [await page(), await page(), await page("bob")];
        const answer = await ada.ask("POST", "/auth/logout-others");
        expect([answer.status, answer.setCookies]).toEqual([204, []]);
        passed(await ada.get("/me"));
        refused(await phone.get("/me"), 401, "token_revoked");
        passed(await bob.get("/me"), "bob");
        expect((await ada.ask("POST", "/auth/refresh", "refresh")).status).toBe(200);
      });
    });

    it("end all, and a login right after is good", async () => {
      const manager = inCookies();
      await use(manager, async (_client, page) => {
        const [ada, phone, bob] = [await page(), await page(), await page("bob")];
        const renewed = await manager.refreshTokenPair(phone.refresh);
        const answer = await ada.ask("POST", "/auth/logout-all");
        expect([answer.status, cleared(answer).sort()]).toEqual([204, ALL]);
        refused(await phone.get("/me"), 401, "token_revoked");
        await expect(manager.refreshTokenPair(renewed.refresh_token)).rejects.toMatchObject({ code: "session_ended" });
        passed(await (await page()).get("/me"));
        passed(await bob.get("/me"), "bob");
      });
    });

    it("need a token of a session to keep one", async () => {
      const manager = managerOf();
      await use(manager, async ({ send }) => {
        const headers = [bearer(await manager.createAccessToken("ada"))];
        const answer = await send({ method: "POST", path: "/auth/logout-others", headers });
        refused(answer, 401, "session_required");
      });
    });
  });
}
