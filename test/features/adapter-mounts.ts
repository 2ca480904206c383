import { describe, expect, it } from "vitest";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

/** Guards inside nested routers, sub-applications and plugins. */
export function feature(harness: Harness): void {
  describe("nested routers", () => {
    it("guard their routes and show the full path", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      const routes: TestRoute[] = [
        {
          methods: ["GET", "POST"],
          path: "/me",
          guard: {},
          handler: (tools) => ({ json: [tools.getAuth().identity, tools.query.get("q")] }),
        },
        { methods: ["GET"], path: "/open", handler: () => ({ json: "open" }) },
      ];
      await serving(harness, manager, routes, { prefix: "/api" }, async ({ get }) => {
        expect((await get("/api/me")).status).toBe(401);
        expect((await get("/api/me?q=7", bearer(token))).json()).toEqual(["ada", "7"]);
        expect((await get("/api/open")).json()).toBe("open");
        expect((await get("/me", bearer(token))).status).toBe(404);
      });
      const options = { prefix: "/api", protect: { public: ["/api/open"] } };
      await serving(harness, manager, routes, options, async ({ get }) => {
        expect((await get("/api/open")).status).toBe(200);
        expect((await get("/open")).status).toBe(401);
        expect((await get("/api/me")).status).toBe(401);
      });
    });

    it("keep two managers of one application apart", async () => {
      const [one, two] = [managerOf({ headerName: "X-One" }), managerOf({ headerName: "X-Two" })];
      const token = await two.createAccessToken("grace");
      const route: TestRoute = { methods: ["GET"], path: "/", guard: {}, handler: () => ({ json: 1 }) };
      await serving(harness, one, [route], {}, async ({ get }) => {
        expect((await get("/", ["X-Two", `Bearer ${token}`])).status).toBe(401);
      });
    });
  });
}
