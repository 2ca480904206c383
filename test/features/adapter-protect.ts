import { describe, expect, it } from "vitest";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

const TRICKS = [
  "/open/../closed",
  "/open/./../closed",
  "/open/..%2fclosed",
  "/open/%2e%2e/closed",
  "/open/%2E%2E%2Fclosed",
  "/open/..;/closed",
  "/open/..\\closed",
  "/open//closed",
  "//open/a",
  "/open//a",
  "/open;/a",
  "/open/a;x=1",
  "/open/a%2fb",
  "/open/%2e",
  "/open%2fa",
  "/OPEN/a",
  "/%6fpen/a",
  "/login/",
  "/LOGIN",
  "/login%20",
  "/login;a=b",
  "//login",
  "/./login",
  "/login/..",
  "/log%69n",
  "/login%00",
  "/closed",
  "/closed/",
  "/CLOSED",
  "//closed",
  "/%63losed",
  "/closed;x",
  "/closed?path=/login",
  "/closed#/login",
];

/** `protect` guards a whole application but the paths that are public, letter by letter. */
export function feature(harness: Harness): void {
  const handler: TestRoute["handler"] = () => ({ json: "in" });
  const paths = ["/login", "/open/a", "/open/deep/b", "/closed", "/both"];
  const routes: TestRoute[] = paths.map((path) => ({ methods: ["GET", "POST"], path, handler }));
  const options = { protect: { public: ["/login", "/open/*", "GET /both"] } };

  describe("protect", () => {
    it("guards everything but the public paths", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, options, async ({ get, send }) => {
        for (const path of ["/login", "/login?next=/closed", "/open/a", "/open/deep/b", "/both"]) {
          expect([path, (await get(path)).status]).toEqual([path, 200]);
        }
        expect((await send({ method: "HEAD", path: "/login" })).status).toBe(200);
        expect((await send({ method: "POST", path: "/both" })).status).toBe(401);
        expect((await get("/closed")).status).toBe(401);
        expect((await get("/closed", bearer(token))).status).toBe(200);
      });
    });

    it("asks for a token where there is no route, too", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, options, async ({ get, send }) => {
        for (const path of ["/nowhere", "/", "/.well-known/x"]) {
          expect([path, (await get(path)).status]).toEqual([path, 401]);
          expect([path, (await get(path, bearer(token))).status]).toEqual([path, 404]);
          expect([path, (await send({ method: "DELETE", path })).status]).toEqual([path, 401]);
        }
      });
    });

    it("opens no other path, however it is written", async () => {
      await serving(harness, managerOf(), routes, options, async ({ get }) => {
        for (const path of TRICKS) {
          const answer = await get(path);
          // A router that resolves dot segments itself may end on a public path: that path is open by right.
          const resolved = new URL(path, "http://host").pathname;
          const own = harness.name === "hono" || harness.name === "web";
          const open = own && (resolved === "/login" || /^\/open\/[\w/]+$/.test(resolved)) && !/\/\//.test(resolved);
          expect([path, open || answer.status !== 200, answer.status < 500]).toEqual([path, true, true]);
        }
      });
    });

    it("works with guards of its own behind it", async () => {
      const manager = managerOf();
      const stale = await manager.createAccessToken("ada");
      const fresh = await manager.createAccessToken("ada", { fresh: true });
      const route: TestRoute = {
        methods: ["GET"],
        path: "/fresh",
        guard: { fresh: true },
        handler: (tools) => ({ json: tools.getAuth().identity }),
      };
      await serving(harness, manager, [route], { ...options, prefix: "/inner" }, async ({ get }) => {
        expect((await get("/inner/fresh")).status).toBe(401);
        expect((await get("/inner/fresh", bearer(stale))).json()).toMatchObject({ code: "token_not_fresh" });
        expect((await get("/inner/fresh", bearer(fresh))).json()).toBe("ada");
      });
    });
  });

  describe("paths and guards", () => {
    it("reaches no guarded route without its guard, however its path is written", async () => {
      let ran = 0;
      const route: TestRoute = {
        methods: ["GET"],
        path: "/closed",
        guard: {},
        handler: () => ({ json: ++ran }),
      };
      for (const prefix of [undefined, "/nested"]) {
        await serving(harness, managerOf(), [route], { prefix }, async ({ get }) => {
          const base = prefix ?? "";
          for (const path of ["/closed", "/closed/", "//closed", "/CLOSED", "/%63losed", "/x/../closed", "/closed;x"]) {
            const { status } = await get(`${base}${path}`);
            expect([path, status === 401 || status === 404]).toEqual([path, true]);
          }
        });
      }
      expect(ran).toBe(0);
    });
  });
}
