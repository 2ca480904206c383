import { ExpiredTokenError } from "jwt-extended";
import { describe, expect, it } from "vitest";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

const THROWN: readonly (readonly [string, unknown])[] = [
  ["an error", new Error("secret of the application")],
  ["nothing", undefined],
  ["null", null],
  ["a text that Express takes for a wish", "route"],
  ["another such text", "router"],
  ["a number", 0],
];

/** Errors of handlers and of the application's own functions end where they should, and never open a door. */
export function feature(harness: Harness): void {
  describe("errors", () => {
    it("answers errors of this library that a handler throws", async () => {
      const routes: TestRoute[] = [
        {
          methods: ["GET"],
          path: "/sync",
          handler: () => {
            throw new ExpiredTokenError("token_expired");
          },
        },
        {
          methods: ["GET"],
          path: "/async",
          handler: async () => Promise.reject(new ExpiredTokenError("token_expired")),
        },
        { methods: ["GET"], path: "/by-hand", handler: async (tools) => ({ json: await tools.verifyRequest() }) },
        {
          methods: ["GET"],
          path: "/guarded",
          guard: {},
          handler: async (tools) => ({ json: await tools.verifyRequest({ fresh: true }) }),
        },
      ];
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const path of ["/sync", "/async"]) {
          const answer = await get(path);
          expect([path, answer.status, answer.json()]).toEqual([
            path,
            401,
            { code: "token_expired", msg: "Token has expired" },
          ]);
          expect(answer.header("content-type")).toEqual(["application/json; charset=utf-8"]);
          expect(answer.header("www-authenticate")).toHaveLength(1);
        }
        expect((await get("/by-hand")).status).toBe(401);
        expect((await get("/by-hand", bearer(token))).status).toBe(200);
        expect((await get("/guarded", bearer(token))).json()).toMatchObject({ code: "token_not_fresh" });
      });
    });

    it("leaves all other errors to the framework", async () => {
      const routes: TestRoute[] = [undefined, {}].flatMap((guard, i): TestRoute[] => [
        {
          methods: ["GET"],
          path: `/sync${i}`,
          guard,
          handler: () => {
            throw new Error("secret of the application");
          },
        },
        { methods: ["GET"], path: `/async${i}`, guard, handler: async () => Promise.reject(new TypeError("secret")) },
      ]);
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const { path } of routes) {
          const answer = await get(path, bearer(token));
          expect([path, answer.status, answer.json()]).toEqual([path, 500, { error: "internal" }]);
        }
      });
    });

    it.each(THROWN)("does not let a handler run when a loader throws %s", async (_, thrown) => {
      for (const late of [false, true]) {
        let ran = 0;
        const handler = (): { json: unknown } => ({ json: ++ran });
        const userLookup = (): unknown => {
          if (late) return Promise.reject(thrown);
          throw thrown;
        };
        const manager = managerOf({ loaders: { userLookup } });
        const token = await manager.createAccessToken("ada");
        const routes: TestRoute[] = [
          { methods: ["GET"], path: "/guarded", guard: {}, handler },
          { methods: ["GET"], path: "/optional", guard: { optional: true }, handler },
        ];
        for (const protect of [undefined, {}]) {
          await serving(harness, manager, routes, { protect }, async ({ get }) => {
            for (const { path } of routes) {
              const answer = await get(path, bearer(token));
              expect([path, answer.status, answer.json()]).toEqual([path, 500, { error: "internal" }]);
            }
          });
        }
        expect(ran).toBe(0);
      }
    });

    it("leaves mistakes of the application to the framework, too: they are no refusals", async () => {
      const route: TestRoute = { methods: ["GET"], path: "/", handler: (tools) => ({ json: tools.getAuth() }) };
      await serving(harness, managerOf(), [route], {}, async ({ get }) => {
        const answer = await get("/");
        expect([answer.status, answer.json()]).toEqual([500, { error: "internal" }]);
      });
    });
  });
}
