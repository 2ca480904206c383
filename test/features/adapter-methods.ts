import { describe, expect, it } from "vitest";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

const ALL = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const PREFLIGHT = [
  ["Origin", "https://elsewhere.example"],
  ["Access-Control-Request-Method", "POST"],
] as const;

/** Guards stand in front of every method; only a CORS preflight passes. */
export function feature(harness: Harness): void {
  let ran = 0;
  const route: TestRoute = {
    methods: ALL,
    path: "/all",
    guard: {},
    handler: ({ method }) => {
      ran++;
      return { json: { method } };
    },
  };

  describe("methods", () => {
    it("guards every method alike", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      ran = 0;
      await serving(harness, manager, [route], {}, async ({ send }) => {
        for (const method of [...ALL, "HEAD"]) {
          expect([method, (await send({ method, path: "/all" })).status]).toEqual([method, 401]);
        }
        expect(ran).toBe(0);
        for (const method of ALL) {
          const answer = await send({ method, path: "/all", headers: [bearer(token)] });
          expect([method, answer.status, answer.json()]).toEqual([method, 200, { method }]);
        }
      });
    });

    it("answers HEAD like GET, without a body", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, [route], {}, async ({ send }) => {
        const ask = (method: string, sent: string) => send({ method, path: "/all", headers: [bearer(sent)] });
        const [refused, passed] = [await ask("HEAD", "nonsense"), await ask("HEAD", token)];
        expect([refused.status, refused.text, passed.status, passed.text]).toEqual([401, "", 200, ""]);
        const named = (name: string, answer: typeof refused): readonly string[] => answer.header(name);
        const get = await ask("GET", "nonsense");
        for (const name of ["www-authenticate", "content-type"]) expect(named(name, refused)).toEqual(named(name, get));
      });
    });

    it("lets a CORS preflight pass, to the handler where the framework has one that can do without a token", async () => {
      ran = 0;
      // These two hand `auth` to their handlers, and a preflight has none.
      const answersItself = harness.name === "node" || harness.name === "web";
      await serving(harness, managerOf(), [route], {}, async ({ send }) => {
        const answer = await send({ method: "OPTIONS", path: "/all", headers: PREFLIGHT });
        expect([answer.status, ran]).toEqual(answersItself ? [204, 0] : [200, 1]);
      });
      await serving(harness, managerOf(), [route], { protect: {} }, async ({ send }) => {
        expect((await send({ method: "OPTIONS", path: "/all", headers: PREFLIGHT })).status).toBe(
          answersItself ? 204 : 200,
        );
        expect((await send({ method: "OPTIONS", path: "/all" })).status).toBe(401);
        expect((await send({ method: "POST", path: "/all", headers: PREFLIGHT })).status).toBe(401);
      });
    });
  });
}
