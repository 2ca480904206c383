import { describe, expect, it } from "vitest";
import { act, cookiesOf, passed, refused, who } from "../support/answers.ts";
import { type Browser, browser, cleared } from "../support/browser.ts";
import { claimsOf } from "../support/forge.ts";
import type { AnyManager, Harness } from "../support/harness/types.ts";
import { readyRoutes } from "../support/ready.ts";
import { bearer, type Client, managerOf, serving } from "../support/serve.ts";

const ALL = ["__Host-access_token", "__Host-csrf_access", "__Host-csrf_refresh", "__Host-refresh_token"];

/** The ready routes, asked as applications and as browsers ask them. */
export function feature(harness: Harness): void {
  const use = (manager: AnyManager, body: (client: Client, page: () => Promise<Browser>) => Promise<void>) => {
    const login = act("/login", async (tools) =>
      tools.sendTokens(await manager.createTokenPair(tools.query.get("who") ?? "ada", { fresh: true })),
    );
    const options = readyRoutes(manager, { address: (request) => request.header("x-client")[0] });
    return serving(harness, manager, [login, who()], options, (client) =>
      body(client, async () => {
        const page = browser(client);
        await page.get("/login");
        return page;
      }),
    );
  };
  const inCookies = (options: object = {}) => managerOf({ tokenLocation: ["cookies"], ...options });
  const sid = (token: string) => String(claimsOf(token).sid);

  describe("ready routes", () => {
    it("refresh: who came with cookies gets cookies, whatever it asks for", async () => {
      await use(inCookies(), async (client, page) => {
        const ada = await page();
        const before = new Map(ada.jar);
        const headers = [ada.line(), ["X-CSRF-TOKEN", ada.jar.get("__Host-csrf_refresh") ?? ""]] as const;
        const body = JSON.stringify({ refresh_token: ada.refresh, via: "body" });
        const answer = await client.postJson("/auth/refresh", body, ...headers, ["Accept", "application/json"]);
        expect([answer.status, answer.header("cache-control")]).toEqual([200, ["no-store"]]);
        expect(answer.json()).toEqual({ expires_in: 900 });
        const set = cookiesOf(answer);
        expect(Object.keys(set).sort()).toEqual(ALL);
        for (const name of ["__Host-access_token", "__Host-refresh_token"]) {
          expect(set[name]?.value).not.toBe(before.get(name));
          expect(answer.text).not.toContain(set[name]?.value ?? "-");
          expect(set[name]?.attributes).toMatchObject({ httponly: "", secure: "", samesite: "Lax", path: "/" });
        }
        // Pages in other tabs hold the old values: they stay the same.
        for (const name of ["__Host-csrf_access", "__Host-csrf_refresh"])
          expect(set[name]?.value).toBe(before.get(name));
        expect((await ada.ask("POST", "/auth/refresh", "refresh")).status).toBe(200);
        passed(await ada.get("/me"));
      });
    });

    it("refresh: who came with a header or with JSON gets a body", async () => {
      const manager = managerOf();
      await use(manager, async ({ send, postJson }) => {
        for (const kind of ["header", "json"]) {
          const { refresh_token } = await manager.createTokenPair("ada");
          const answer = await (kind === "json"
            ? postJson("/auth/refresh", JSON.stringify({ refresh_token }))
            : send({ method: "POST", path: "/auth/refresh", headers: [bearer(refresh_token)] }));
          expect([answer.status, answer.setCookies, answer.header("cache-control")]).toEqual([200, [], ["no-store"]]);
          const text = expect.any(String);
          const pair = { access_token: text, refresh_token: text, token_type: "Bearer", expires_in: 900 };
          expect(answer.json()).toEqual(pair);
        }
        refused(await send({ method: "POST", path: "/auth/refresh" }), 401, "token_missing");
        refused(await postJson("/auth/refresh", "{"), 401, "token_missing");
        const query = `/auth/refresh?jwt=${(await manager.createTokenPair("ada")).refresh_token}`;
        refused(await send({ method: "POST", path: query }), 401, "token_missing");
      });
    });

    it("refresh: notes who asks, and keeps no address", async () => {
      const manager = managerOf();
      const seen: unknown[] = [];
      manager.on("refreshed", (event) => seen.push(event));
      const { refresh_token } = await manager.createTokenPair("ada");
      await use(manager, async ({ postJson }) => {
        const headers = [["User-Agent", "u".repeat(300)] as const, ["X-Client", "203.0.113.7"] as const];
        await postJson("/auth/refresh", JSON.stringify({ refresh_token }), ...headers);
      });
      const [session] = await manager.listSessions("ada");
      expect(session).toMatchObject({ userAgent: "u".repeat(256), address: expect.any(String) });
      expect(JSON.stringify([session, seen])).not.toContain("203.0.113.7");
    });

    it("refresh: cookies are cleared where they are surely those of the session that is over", async () => {
      const manager = inCookies({ grace: 0 });
      await use(manager, async (_client, page) => {
        const ada = await page();
        await manager.revokeSession(sid(ada.refresh));
        const ended = await ada.ask("POST", "/auth/refresh", "refresh");
        expect([ended.status, (ended.json() as { code: string }).code]).toEqual([401, "session_ended"]);
        expect(cleared(ended).sort()).toEqual(ALL);
        expect([...ada.jar]).toEqual([]);

        const eve = await page();
        const stolen = new Map(eve.jar);
        await eve.ask("POST", "/auth/refresh", "refresh");
        await new Promise((resolve) => setTimeout(resolve, 5));
        for (const [name, value] of stolen) eve.jar.set(name, value);
        const reused = await eve.ask("POST", "/auth/refresh", "refresh");
        expect([reused.status, (reused.json() as { code: string }).code]).toEqual([401, "token_reused"]);
        expect(cleared(reused).sort()).toEqual(ALL);

        const alone = await page();
        await manager.revokeSession(sid(alone.refresh));
        alone.jar.delete("__Host-access_token");
        expect(cleared(await alone.ask("POST", "/auth/refresh", "refresh")).sort()).toEqual(ALL);
      });
    });

    it("refresh: cookies of another session, and of one that is not known to be over, are left alone", async () => {
      const manager = inCookies();
      await use(manager, async (client, page) => {
        const [old, next] = [await page(), await page()];
        await manager.revokeSession(sid(old.refresh));
        old.jar.set("__Host-access_token", next.access);
        refused(await old.ask("POST", "/auth/refresh", "refresh"), 401, "session_ended");
        old.jar.set("__Host-access_token", "rubbish");
        refused(await old.ask("POST", "/auth/refresh", "refresh"), 401, "session_ended");

        const foreign = inCookies();
        const unknown = await foreign.createTokenPair("ada");
        const plant = await page();
        plant.jar.set("__Host-refresh_token", unknown.refresh_token);
        plant.jar.set("__Host-csrf_refresh", String(claimsOf(unknown.refresh_token).csrf));
        refused(await plant.ask("POST", "/auth/refresh", "refresh"), 401, "session_unknown");
        plant.jar.set("__Host-refresh_token", "x.y.z");
        refused(await plant.ask("POST", "/auth/refresh", "refresh"), 401, "token_invalid");

        const good = await page();
        const wrong = [good.line(), ["X-CSRF-TOKEN", good.jar.get("__Host-csrf_access") ?? ""] as const] as const;
        refused(await client.send({ method: "POST", path: "/auth/refresh", headers: wrong }), 403, "csrf_mismatch");
        const missing = await client.send({ method: "POST", path: "/auth/refresh", headers: [good.line()] });
        refused(missing, 403, "csrf_missing");
        passed(await good.get("/me"));
      });
    });

    it("refresh: an ended token in a header leaves the cookies of a live session alone", async () => {
      const manager = managerOf({ tokenLocation: ["headers", "cookies"] });
      await use(manager, async (client) => {
        const [dead, live] = [await manager.createTokenPair("ada"), await manager.createTokenPair("ada")];
        await manager.revokeSession(sid(dead.refresh_token));
        const cookies = `__Host-access_token=${live.access_token}; __Host-refresh_token=${live.refresh_token}`;
        const headers = [bearer(dead.refresh_token), ["Cookie", cookies] as const];
        refused(await client.send({ method: "POST", path: "/auth/refresh", headers }), 401, "session_ended");
      });
    });

    it("refresh: of two live cookies of one name neither is used, and a dead one is passed over", async () => {
      const manager = inCookies();
      await use(manager, async (client, page) => {
        const [one, two] = [await page(), await page()];
        const csrf = ["X-CSRF-TOKEN", one.jar.get("__Host-csrf_refresh") ?? ""] as const;
        for (const pair of [
          [one.refresh, two.refresh],
          [two.refresh, one.refresh],
        ]) {
          const line = ["Cookie", pair.map((token) => `__Host-refresh_token=${token}`).join("; ")] as const;
          const answer = await client.send({ method: "POST", path: "/auth/refresh", headers: [line, csrf] });
          refused(answer, 401, "ambiguous_cookies");
        }
        // Left over from an ended session, and from before a refresh.
        await manager.revokeSession(sid(two.refresh));
        const before = one.refresh;
        await one.ask("POST", "/auth/refresh", "refresh");
        for (const dead of [two.refresh, before]) {
          for (const pair of [
            [dead, one.refresh],
            [one.refresh, dead],
          ]) {
            const line = ["Cookie", pair.map((token) => `__Host-refresh_token=${token}`).join("; ")] as const;
            const answer = await client.send({ method: "POST", path: "/auth/refresh", headers: [line, csrf] });
            expect([answer.status, Object.keys(cookiesOf(answer)).length]).toEqual([200, 4]);
          }
        }
        // The plain name is not read where the prefix is on.
        const plain = ["Cookie", `refresh_token=${one.refresh}`] as const;
        const answer = await client.send({ method: "POST", path: "/auth/refresh", headers: [plain, csrf] });
        refused(answer, 401, "token_missing");
      });
    });

    it("refresh and logout: a value for the access token, a planted cookie or another session's value does not pass", async () => {
      await use(inCookies(), async (client, page) => {
        const [ada, other] = [await page(), await page()];
        const tossed = ["Cookie", `${ada.line()[1]}; __Host-csrf_refresh=x`] as const;
        for (const value of ["x", "", other.jar.get("__Host-csrf_refresh") ?? "", "é"]) {
          for (const line of [ada.line(), tossed]) {
            const headers = [line, ["X-CSRF-TOKEN", value] as const];
            for (const path of ["/auth/refresh", "/auth/logout"]) {
              const answer = await client.send({ method: "POST", path, headers });
              expect([path, value, answer.status]).toEqual([path, value, 403]);
              expect(answer.setCookies).toEqual([]);
            }
          }
        }
        passed(await ada.get("/me"));
      });
    });

    it("are asked from our own pages only, also without any token", async () => {
      const manager = inCookies({ trustedOrigins: ["https://good.example"] });
      await use(manager, async ({ send, url }, page) => {
        const paths = ["/auth/refresh", "/auth/logout", "/auth/logout-others", "/auth/logout-all"];
        for (const path of paths) {
          const post = (...headers: (readonly [string, string])[]) => send({ method: "POST", path, headers });
          for (const origin of [
            "null",
            "https://evil.example",
            "https://good.example.evil.example",
            "https://good.example:444",
            "https://GOOD.example",
            "https://good.example.",
          ]) {
            refused(await post(["Origin", origin]), 403, "csrf_origin");
            refused(await post(["Origin", origin], ["Sec-Fetch-Site", "cross-site"]), 403, "csrf_origin");
          }
          refused(await post(["Sec-Fetch-Site", "same-site"], ["Origin", url]), 403, "csrf_origin");
          const fine = await post(["Origin", "https://good.example"], ["Sec-Fetch-Site", "cross-site"]);
          expect(fine.status).toBe(path === "/auth/logout" ? 204 : 401);
        }
        const ada = await page();
        const away = ["Sec-Fetch-Site", "cross-site"] as const;
        const headers = [ada.line(), ["X-CSRF-TOKEN", ada.jar.get("__Host-csrf_access") ?? ""] as const, away];
        const path = `/auth/sessions/${sid(ada.access)}`;
        refused(await send({ method: "DELETE", path, headers }), 403, "csrf_origin");
        passed(await ada.get("/me"));
      });
    });

    it("take JSON, or nothing", async () => {
      const manager = inCookies();
      await use(manager, async ({ send }, page) => {
        const ada = await page();
        const csrf = ["X-CSRF-TOKEN", ada.jar.get("__Host-csrf_refresh") ?? ""] as const;
        const post = (path: string, type: string, body: string) =>
          send({ method: "POST", path, body, headers: [ada.line(), csrf, ["Content-Type", type]] });
        const forms = [
          "text/plain",
          "application/x-www-form-urlencoded",
          "multipart/form-data; boundary=x",
          "text/plain;application/json",
        ];
        // What a page can send without a type is no JSON, whatever it looks like.
        const untyped = { method: "POST", path: "/auth/refresh", body: JSON.stringify({ refresh_token: ada.refresh }) };
        refused(await send({ ...untyped, headers: [["Sec-Fetch-Site", "same-origin"]] }), 401, "token_missing");
        for (const path of ["/auth/refresh", "/auth/logout", "/auth/logout-others", "/auth/logout-all"]) {
          for (const type of forms) refused(await post(path, type, "a=b"), 415, "unsupported_media_type");
        }
        for (const type of ["application/json", "Application/JSON; charset=utf-8", "application/json;x=text/plain"]) {
          const answer = await post("/auth/refresh", type, "{}");
          expect([type, answer.status]).toEqual([type, 200]);
        }
      });
    });

    it("know methods as they came, not as a header would have them", async () => {
      await use(inCookies(), async ({ send }, page) => {
        const ada = await page();
        const override = ["X-HTTP-Method-Override", "GET"] as const;
        const answer = await send({ method: "POST", path: "/auth/logout", headers: [ada.line(), override] });
        refused(answer, 403, "csrf_missing");
        for (const path of ["/auth/logout", "/auth/refresh", "/auth/logout-all"])
          expect((await send({ path, headers: [ada.line(), ["X-HTTP-Method-Override", "POST"]] })).status).toBe(404);
        passed(await ada.get("/me"));
      });
    });

    it("need a store", async () => {
      for (const options of [{ store: null }, { compat: "flask" }])
        expect(() => readyRoutes(managerOf(options))).toThrow(/needs a store/);
    });
  });
}
