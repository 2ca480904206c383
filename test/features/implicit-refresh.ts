import { JWTManager, memoryStore } from "jwt-extended";
import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import type { AnyManager, Harness, TestRoute } from "../support/harness/types.ts";
import { send } from "../support/http.ts";

const cookieOf = (lines: readonly string[], name: string): string | undefined =>
  lines
    .map((line) => line.split(";")[0] ?? "")
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

/** A session in use gets a new access cookie by itself, and only then. */
export function feature(harness: Harness): void {
  describe("implicit refresh", () => {
    const clock = fakeClock();
    const make = (): AnyManager =>
      new JWTManager({
        secretKey: "implicit-refresh-0123456789-abcdefghijklmnopqrstuvwxyz",
        tokenLocation: ["cookies", "headers"],
        implicitRefresh: true,
        clock,
        store: memoryStore({ clock }),
      });
    const routes = (manager: AnyManager): TestRoute[] => [
      {
        methods: ["GET", "POST"],
        path: "/page",
        guard: {},
        handler: ({ getAuth }) => ({ json: { who: getAuth().identity } }),
      },
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
      request: { method?: string; path?: string; headers?: [string, string][] } = {},
    ) => {
      const manager = make();
      const server = await harness.start(manager, routes(manager));
      try {
        const { access_token } = await manager.createTokenPair("ada", { fresh: true });
        const before = await manager.decodeToken(access_token);
        clock.advance(seconds);
        const headers: [string, string][] = request.headers ?? [["Cookie", `__Host-access_token=${access_token}`]];
        const answer = await send(server.url, {
          method: request.method ?? "GET",
          path: request.path ?? "/page",
          headers: headers.map(([name, value]) => [name, value.replace("$ACCESS", access_token)]),
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
    it("never undoes a logout in the same answer", async () => {
      const { answer } = await visit(451, { path: "/leave" });
      const lines = answer.setCookies.filter((line) => line.startsWith("__Host-access_token="));
      // Browsers take the lines in order: the last one stands.
      expect(lines.at(-1)).toMatch(/^__Host-access_token=;/);
    });
  });
}
