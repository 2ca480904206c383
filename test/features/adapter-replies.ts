import { getJwtIdentity } from "jwt-extended";
import { describe, expect, it } from "vitest";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { sendRaw } from "../support/http.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

/** What goes out: one answer, with all its headers. */
export function feature(harness: Harness): void {
  describe("replies", () => {
    it("sends a refusal as JSON with its challenge, once, and runs no handler", async () => {
      let ran = 0;
      const route: TestRoute = { methods: ["GET"], path: "/", guard: {}, handler: () => ({ json: ++ran }) };
      await serving(harness, managerOf(), [route], {}, async ({ get }) => {
        const answer = await get("/", bearer("nonsense"));
        expect(answer.status).toBe(401);
        expect(answer.header("content-type")).toEqual(["application/json; charset=utf-8"]);
        expect(answer.header("www-authenticate")).toHaveLength(1);
        expect(answer.json()).toMatchObject({ code: "token_invalid" });
        expect(ran).toBe(0);
      });
    });

    it("sends the application's own refusals as they are", async () => {
      const bytes = new Uint8Array([0, 255, 10]);
      const replies: Record<string, unknown> = {
        bytes: { status: 418, headers: [["content-type", "application/octet-stream"]], body: bytes },
        empty: { status: 403, headers: [] },
        twice: {
          status: 401,
          headers: [
            ["Set-Cookie", "a=1"],
            ["Set-Cookie", "b=2"],
            ["WWW-Authenticate", "Bearer"],
            ["WWW-Authenticate", "Basic"],
          ],
          body: null,
        },
      };
      const unauthorized = (_reason: unknown, _error: unknown, request: { url: string }): unknown =>
        replies[request.url.slice(1)];
      const manager = managerOf({ loaders: { unauthorized } });
      const routes = Object.keys(replies).map(
        (name): TestRoute => ({ methods: ["GET"], path: `/${name}`, guard: {}, handler: () => ({ json: 1 }) }),
      );
      await serving(harness, manager, routes, {}, async ({ get }) => {
        const raw = await get("/bytes");
        expect([raw.status, raw.header("content-type")]).toEqual([418, ["application/octet-stream"]]);
        expect(raw.header("content-length")).toEqual(["3"]);
        const empty = await get("/empty");
        expect([empty.status, empty.text]).toEqual([403, ""]);
        const twice = await get("/twice");
        expect(twice.setCookies).toEqual(["a=1", "b=2"]);
        expect(twice.header("www-authenticate").join(", ")).toBe("Bearer, Basic");
        expect(twice.text).toBe("null");
      });
    });

    it("sends tokens once and uncached", async () => {
      const manager = managerOf();
      const route: TestRoute = {
        methods: ["POST"],
        path: "/login",
        handler: async (tools) => tools.sendTokens(await manager.createTokenPair("ada"), { status: 201 }),
      };
      await serving(harness, manager, [route], {}, async ({ postJson }) => {
        const answer = await postJson("/login", "{}");
        expect(answer.status).toBe(201);
        expect(answer.json()).toMatchObject({ token_type: "Bearer" });
        expect(answer.header("cache-control").join()).toContain("no-store");
        expect(answer.setCookies).toEqual([]);
      });
    });

    it("adds cookies to the handler's own answer", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"] });
      const route: TestRoute = {
        methods: ["POST"],
        path: "/login",
        handler: async (tools) => {
          const { access_token, refresh_token } = await manager.createTokenPair("ada");
          await tools.setAccessCookies(access_token);
          await tools.setRefreshCookies(refresh_token);
          return { json: "in", status: 202 };
        },
      };
      const out: TestRoute = {
        methods: ["POST"],
        path: "/logout",
        handler: async (tools) => {
          await tools.unsetJwtCookies();
          return { json: "out" };
        },
      };
      await serving(harness, manager, [route, out], {}, async ({ postJson }) => {
        const answer = await postJson("/login", "{}");
        expect([answer.status, answer.json(), answer.setCookies.length]).toEqual([202, "in", 4]);
        expect(new Set(answer.setCookies.map((line) => line.split("=")[0])).size).toBe(4);
        expect((await postJson("/logout", "{}")).setCookies.length).toBeGreaterThanOrEqual(2);
      });
    });

    it("makes the ambient accessors work everywhere behind a guard", async () => {
      const manager = managerOf({ ambientContext: true, tokenLocation: ["headers", "json"] });
      const handler: TestRoute["handler"] = async (tools) => {
        const before = getJwtIdentity();
        await tools.body();
        await new Promise((resolve) => setTimeout(resolve, 5));
        return { json: [before, getJwtIdentity()] };
      };
      const routes: TestRoute[] = [
        { methods: ["POST"], path: "/any", guard: {}, handler },
        { methods: ["POST"], path: "/headers", guard: { locations: ["headers"] }, handler },
      ];
      const [ada, bob] = await Promise.all(["ada", "bob"].map((name) => manager.createAccessToken(name)));
      for (const parsers of [true, false]) {
        await serving(harness, manager, routes, { parsers }, async ({ postJson }) => {
          const ask = (path: string, token = ""): Promise<unknown> =>
            postJson(path, '{"a":1}', bearer(token)).then((answer) => answer.json());
          const asked = routes.flatMap(({ path }) => [ask(path, ada), ask(path, bob)]);
          const both = [
            ["ada", "ada"],
            ["bob", "bob"],
          ];
          expect(await Promise.all(asked)).toEqual([...both, ...both]);
        });
      }
    });

    it("keeps the ambient accessors when a body comes late", async () => {
      const manager = managerOf({ ambientContext: true });
      const handler: TestRoute["handler"] = async (tools) => {
        const before = getJwtIdentity();
        await tools.body();
        return { json: [before, getJwtIdentity()] };
      };
      const route: TestRoute = { methods: ["POST"], path: "/", guard: {}, handler };
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, [route], {}, async ({ url }) => {
        const head = ["POST / HTTP/1.1", "Host: x", "Content-Type: application/json", "Content-Length: 7"];
        const rest = [`Authorization: Bearer ${token}`, "Connection: close", "", ""];
        const text = await sendRaw(url, [[...head, ...rest].join("\r\n"), '{"a"', ":1}"]);
        expect(text).toContain('["ada","ada"]');
      });
    });
  });
}
