import { getJwtIdentity } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";
import { fastifyJwt } from "jwt-extended/fastify";
import { honoJwt } from "jwt-extended/hono";
import { koaJwt } from "jwt-extended/koa";
import { nodeJwt } from "jwt-extended/node";
import { webJwt } from "jwt-extended/web";
import { describe, expect, it } from "vitest";
import { act, passed, refused, told, who } from "../support/answers.ts";
import type { AnyManager, Harness, TestTools } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

type Second = Pick<TestTools, "getAuth"> & {
  verifyRequest(request: object, options?: object): Promise<{ identity: string | null }>;
  getAuth(request: object): { identity: string };
};
const FACTORIES = {
  express: expressJwt,
  fastify: fastifyJwt,
  hono: honoJwt,
  koa: koaJwt,
  node: nodeJwt,
  web: webJwt,
} as unknown as Record<Harness["name"], (manager: AnyManager) => Second>;

/** Two managers in one application know nothing of each other's tokens, sessions and requests. */
export function feature(harness: Harness): void {
  describe("two managers", () => {
    it("keep a request's outcomes apart", async () => {
      const [users, machines] = [managerOf(), managerOf({ secretKey: "m".repeat(40), headerName: "X-Machine" })];
      const face = FACTORIES[harness.name](machines);
      const both = {
        ...who({}, "/both"),
        handler: async ({ request, getAuth }: TestTools) => {
          const own = getAuth().identity;
          const inner = await face.verifyRequest(request);
          return {
            json: [own, inner.identity, getAuth().identity, face.getAuth(request).identity, getJwtIdentity(request)],
          };
        },
      };
      const blind = {
        ...who({}, "/blind"),
        handler: told(({ request }) => ({ json: face.getAuth(request).identity })),
      };
      await serving(harness, users, [both, blind], {}, async ({ get }) => {
        const user = bearer(await users.createAccessToken("ada"));
        const machine = ["X-Machine", `Bearer ${await machines.createAccessToken("robot")}`] as const;
        expect((await get("/both", user, machine)).json()).toEqual(["ada", "robot", "ada", "robot", "robot"]);
        refused(await get("/both", user), 401, "token_missing");
        refused(await get("/both", user, ["X-Machine", user[1]]), 401, "token_invalid");
        expect((await get("/blind", user)).json()).toMatchObject({ code: "no_auth_context" });
      });
    });

    it("share nothing through cache or store", async () => {
      const options = { secretKey: "the-same-secret-for-both-of-them-1234" };
      const [one, two] = [managerOf({ ...options, issuer: "one" }), managerOf({ ...options, issuer: "two" })];
      const token = await one.createAccessToken("ada");
      await serving(harness, one, [who()], {}, async ({ get }) => passed(await get("/me", bearer(token))));
      await serving(harness, two, [who(), act("/open", () => ({ json: 1 }))], {}, async ({ get }) => {
        refused(await get("/me", bearer(token)), 401, "token_issuer");
        await one.revokeSubject("ada");
        passed(await get("/me", bearer(await two.createAccessToken("ada"))));
      });
    });
  });
}
