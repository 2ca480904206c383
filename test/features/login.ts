import { describe, expect, it } from "vitest";
import { act, passed, refused, who } from "../support/answers.ts";
import { browser } from "../support/browser.ts";
import { claimsOf } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { readyRoutes } from "../support/ready.ts";
import { bearer, type Client, managerOf, serving } from "../support/serve.ts";

const COOKIES = ["__Host-access_token", "__Host-csrf_access", "__Host-csrf_refresh", "__Host-refresh_token"];
const GOOD = "https://good.example";

/** Logging in by cookies: only from our own pages, and into a session that nobody has planted. */
export function feature(harness: Harness): void {
  const use = (options: object, body: (client: Client) => Promise<void>) => {
    const manager = managerOf({ tokenLocation: ["cookies", "headers"], ...options });
    const pairOf = (name: string | null) => manager.createTokenPair(name ?? "ada");
    const routes = [
      who(),
      act("/login", async (tools) => tools.sendTokens(await pairOf(tools.query.get("who")))),
      act("/login-app", async (tools) => tools.sendTokens(await pairOf(null), { via: "body" })),
      act("/set", async (tools) => {
        const { access_token, refresh_token } = await pairOf(null);
        await tools.setAccessCookies(access_token);
        await tools.setRefreshCookies(refresh_token);
        return { json: "in" };
      }),
    ];
    return serving(harness, manager, routes, readyRoutes(manager), body);
  };

  describe("login", () => {
    it("by cookies is refused to other sites, so that nobody is logged in as somebody else", async () => {
      await use({ trustedOrigins: [GOOD] }, async ({ send, url }) => {
        const post = (path: string, ...headers: (readonly [string, string])[]) =>
          send({ method: "POST", path, headers });
        const site = (value: string) => ["Sec-Fetch-Site", value] as const;
        const origin = (value: string) => ["Origin", value] as const;
        // A response of the Web knows no request, so there the cookie functions cannot ask.
        for (const path of harness.name === "web" ? ["/login"] : ["/login", "/set"]) {
          for (const headers of [
            [site("cross-site")],
            [site("same-site")],
            [origin("https://evil.example")],
            [origin("null")],
            [site("cross-site"), origin("https://evil.example")],
            [site("cross-site"), origin(`${GOOD}.evil.example`)],
          ]) {
            refused(await post(path, ...headers, ["Content-Type", "text/plain"]), 403, "csrf_origin");
            refused(await post(path, ...headers), 403, "csrf_origin");
          }
          for (const headers of [[], [site("same-origin")], [site("cross-site"), origin(GOOD)], [origin(url)]]) {
            const { status, setCookies } = await post(path, ...headers);
            expect([path, status, setCookies.length]).toEqual([path, 200, 4]);
          }
          // Coming back from a provider is a navigation from there.
          expect((await send({ path, headers: [site("cross-site")] })).setCookies.length).toBe(4);
        }
        expect((await post("/login-app", site("cross-site"))).status).toBe(200);
      });
    });

    it("replaces every cookie that was planted before it", async () => {
      await use({}, async (client) => {
        const [eve, victim] = [browser(client), browser(client)];
        await eve.get("/login?who=eve");
        for (const [name, value] of eve.jar) victim.jar.set(name, value);
        await victim.get("/login?who=ada");
        expect([...victim.jar.keys()].sort()).toEqual(COOKIES);
        for (const name of COOKIES) expect(victim.jar.get(name)).not.toBe(eve.jar.get(name));
        expect(claimsOf(victim.access).sid).not.toBe(claimsOf(eve.access).sid);
        passed(await victim.get("/me"));
        const headers = [victim.line(), ["X-CSRF-TOKEN", eve.jar.get("__Host-csrf_access") ?? ""] as const];
        refused(await client.send({ method: "POST", path: "/me", headers }), 403, "csrf_mismatch");
        expect((await eve.ask("POST", "/auth/logout")).status).toBe(204);
        passed(await client.get("/me", bearer(victim.access)));
        expect((await victim.ask("POST", "/auth/refresh", "refresh")).status).toBe(200);
      });
    });

    it("gives CSRF values that are worth nothing after the logout", async () => {
      await use({}, async (client) => {
        const page = browser(client);
        await page.get("/login");
        const kept = new Map(page.jar);
        passed(await page.ask("POST", "/me"));
        expect((await page.ask("POST", "/auth/logout")).status).toBe(204);
        expect([...page.jar]).toEqual([]);
        await page.get("/login");
        const old = ["X-CSRF-TOKEN", kept.get("__Host-csrf_access") ?? ""] as const;
        refused(await client.send({ method: "POST", path: "/me", headers: [page.line(), old] }), 403, "csrf_mismatch");
        passed(await page.ask("POST", "/me"));
        expect((await page.ask("POST", "/auth/refresh", "refresh")).status).toBe(200);
        passed(await page.ask("POST", "/me"));
        for (const [name, cookie] of kept) page.jar.set(name, cookie);
        refused(await page.ask("POST", "/me"), 401, "token_revoked");
      });
    });
  });
}
