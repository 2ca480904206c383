import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { who } from "../support/answers.ts";
import { cleared } from "../support/browser.ts";
import type { AnyManager, Harness, TestRoute } from "../support/harness/types.ts";
import { send } from "../support/http.ts";
import { readyRoutes } from "../support/ready.ts";
import { managerOf } from "../support/serve.ts";

const cookieOf = (lines: readonly string[], name: string): string | undefined =>
  lines
    .map((line) => line.split(";")[0] ?? "")
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** A session in use gets a new access cookie by itself, and only then. */
export function feature(harness: Harness): void {
  describe("implicit refresh", () => {
    const clock = fakeClock();
    const make = (): AnyManager => managerOf({ tokenLocation: ["cookies", "headers"], implicitRefresh: true, clock });
    const routes = (manager: AnyManager): TestRoute[] => [
      {
        methods: ["GET", "POST"],
        path: "/page",
        guard: {},
        handler: ({ getAuth }) => ({ json: { who: getAuth().identity } }),
      },
      who({ skipRevocationCheck: true }, "/unchecked"),
      who({ roles: "admin" }, "/admin"),
      {
        methods: ["GET"],
        path: "/leave",
        guard: {},
        async handler({ getAuth, unsetJwtCookies }) {
          await manager.revokeSession(getAuth().sessionId ?? "");
          await unsetJwtCookies();
          return { json: {} };
        },
      },
    ];
    const visit = async (
      seconds: number,
      request: { method?: string; path?: string; headers?: [string, string][]; ended?: boolean } = {},
    ) => {
      const manager = make();
      const server = await harness.start(manager, routes(manager), readyRoutes(manager));
      try {
        const { access_token } = await manager.createTokenPair("ada", { fresh: true });
        const before = await manager.decodeToken(access_token);
        clock.advance(seconds);
        if (request.ended) await manager.revokeSession(String(before.sid));
        const headers: [string, string][] = request.headers ?? [["Cookie", `__Host-access_token=${access_token}`]];
        const answer = await send(server.url, {
          method: request.method ?? "GET",
          path: request.path ?? "/page",
          headers: headers.map(([name, value]) => [
            name,
            value.replace("$ACCESS", access_token).replace("$CSRF", String(before.csrf)),
          ]),
        });
        const token = cookieOf(answer.setCookies, "__Host-access_token");
        return { answer, token, before, manager };
      } finally {
        await server.close();
      }
    };

    it("renews the access cookie once half of its life is over", async () => {
      const { answer, token, before, manager } = await visit(451);
      expect(answer.status).toBe(200);
      const claims = await manager.decodeToken(token ?? "");
      expect(claims).toMatchObject({
        sub: "ada",
        sid: before.sid,
        csrf: before.csrf,
        fresh: false,
        auth_time: before.auth_time,
      });
      expect(claims.exp).toBe((before.exp ?? 0) + 451);
      expect(answer.setCookies.some((line) => line.startsWith("__Host-refresh_token"))).toBe(false);
    });
    it("leaves a young cookie alone", async () => {
      expect((await visit(449)).answer.setCookies).toEqual([]);
    });
    it("does nothing for a token that came in a header, for HEAD, and for a request that is refused", async () => {
      expect((await visit(451, { headers: [["Authorization", "Bearer $ACCESS"]] })).answer.setCookies).toEqual([]);
      expect((await visit(451, { method: "HEAD" })).answer.setCookies).toEqual([]);
      const refused = await visit(451, { method: "POST" });
      expect([refused.answer.status, refused.answer.setCookies]).toEqual([403, []]);
      expect((await visit(1000)).answer.status).toBe(401);
    });
    it("renews for a POST that has shown its value, and for no visitor who is refused for anything else", async () => {
      const cookie: [string, string] = ["Cookie", "__Host-access_token=$ACCESS"];
      const csrf: [string, string] = ["X-CSRF-TOKEN", "$CSRF"];
      const shown = await visit(451, { method: "POST", headers: [cookie, csrf] });
      expect([shown.answer.status, shown.answer.setCookies.length]).toEqual([200, 2]);
      const away: [string, string] = ["Sec-Fetch-Site", "cross-site"];
      for (const request of [
        { method: "POST", headers: [cookie, csrf, away] },
        { method: "POST", headers: [cookie, ["X-CSRF-TOKEN", "x"] as [string, string]] },
        { path: "/admin" },
        { path: "/nowhere" },
      ]) {
        const { answer } = await visit(451, request);
        expect([answer.status >= 400, answer.setCookies]).toEqual([true, []]);
      }
    });
    it("renews nothing of a session that is over, checked or not", async () => {
      const { answer } = await visit(451, { ended: true });
      expect([answer.status, answer.setCookies]).toEqual([401, []]);
      const unchecked = await visit(451, { ended: true, path: "/unchecked" });
      expect([unchecked.answer.status, unchecked.answer.setCookies]).toEqual([200, []]);
      expect((await visit(451, { path: "/unchecked" })).answer.setCookies.length).toBe(2);
    });
    it("leaves the ready routes to themselves", async () => {
      const headers: [string, string][] = [
        ["Cookie", "__Host-access_token=$ACCESS"],
        ["X-CSRF-TOKEN", "$CSRF"],
      ];
      for (const path of ["/auth/logout", "/auth/logout-all"]) {
        const { answer } = await visit(451, { method: "POST", path, headers });
        expect([path, answer.status, cleared(answer).length, answer.setCookies.length]).toEqual([path, 204, 4, 4]);
      }
      for (const [method, path] of [
        ["GET", "/auth/sessions"],
        ["POST", "/auth/logout-others"],
      ] as const) {
        const { answer } = await visit(451, { method, path, headers });
        expect([path, answer.status < 300, answer.setCookies]).toEqual([path, true, []]);
      }
    });
    it("never undoes a logout in the same answer", async () => {
      const { answer } = await visit(451, { path: "/leave" });
      const lines = answer.setCookies.filter((line) => line.startsWith("__Host-access_token="));
      // Browsers take the lines in order: the last one stands.
      expect(lines.at(-1)).toMatch(/^__Host-access_token=;/);
    });
  });
}
