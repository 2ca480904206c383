import type { Wanted } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { passed, refused, who } from "../support/answers.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

const CASES: [held: unknown, wanted: Wanted, passes: boolean][] = [
  [["a"], "a", true],
  [["a", "b"], ["a", "b"], true],
  [["b", "c", "a"], ["a", "b"], true],
  [["a"], ["a", "b"], false],
  [["b"], { any: ["a", "b"] }, true],
  [["c"], { any: ["a", "b"] }, false],
  [[], "a", false],
  [undefined, "a", false],
  [null, "a", false],
  [{ a: true }, "a", false],
  [{ 0: "a", length: 1 }, "a", false],
  [["A"], "a", false],
  [["ab"], "a", false],
  [[["a"]], "a", false],
  [1, "a", false],
];

/** What a token allows. */
export function feature(harness: Harness): void {
  describe("roles and scopes", () => {
    it("must all be held, or one of any", async () => {
      const manager = managerOf();
      const routes = CASES.flatMap(([, wanted], i) => [
        who({ roles: wanted }, `/roles${i}`),
        who({ scopes: wanted }, `/scopes${i}`),
      ]);
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const [i, [held, wanted, passes]] of CASES.entries()) {
          const claims = { roles: held, scope: held };
          const token = await manager.createAccessToken("ada", { claims });
          const role = await get(`/roles${i}`, bearer(token));
          const scope = await get(`/scopes${i}`, bearer(token));
          if (passes) {
            passed(role);
            passed(scope);
            continue;
          }
          refused(role, 403, "insufficient_role");
          refused(scope, 403, "insufficient_scope");
          const names = typeof wanted === "object" && "any" in wanted ? wanted.any : [wanted].flat();
          expect(scope.header("www-authenticate")).toEqual([
            `Bearer error="insufficient_scope", scope="${names.join(" ")}"`,
          ]);
        }
      });
    });

    it("are text with blanks for scopes, and never for roles", async () => {
      const manager = managerOf();
      const routes = [who({ scopes: ["a", "b"] }, "/scopes"), who({ roles: "a" }, "/roles")];
      await serving(harness, manager, routes, {}, async ({ get }) => {
        const holding = async (text: string) =>
          bearer(await manager.createAccessToken("ada", { claims: { scope: text, roles: text } }));
        passed(await get("/scopes", await holding("b a")));
        passed(await get("/scopes", await holding("a b c")));
        for (const text of ["a", "ab", "a,b", "a\tb", ""]) {
          refused(await get("/scopes", await holding(text)), 403, "insufficient_scope");
        }
        refused(await get("/roles", await holding("a")), 403, "insufficient_role");
      });
    });

    it("may stand under other claims", async () => {
      const manager = managerOf({ scopeClaim: "scp", rolesClaim: "groups" });
      const routes = [who({ scopes: "a", roles: "b" }, "/both")];
      const token = await manager.createAccessToken("ada", { claims: { scp: "a", groups: ["b"] } });
      const other = await manager.createAccessToken("ada", { claims: { scope: "a", roles: ["b"] } });
      await serving(harness, manager, routes, {}, async ({ get }) => {
        passed(await get("/both", bearer(token)));
        refused(await get("/both", bearer(other)), 403, "insufficient_role");
      });
    });

    it("leave the last word to verify", async () => {
      let answer: () => unknown = () => true;
      const route = who({ verify: () => answer() as boolean }, "/verified");
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, [route], {}, async ({ get }) => {
        for (const yes of [() => true, async () => true]) {
          answer = yes;
          passed(await get("/verified", bearer(token)));
        }
        for (const no of [() => false, async () => false, () => undefined, () => 1, () => "yes", async () => null]) {
          answer = no;
          refused(await get("/verified", bearer(token)), 403, "forbidden");
        }
        for (const fail of [() => Promise.reject(new Error("marker-x")), () => raise(new Error("marker-x"))]) {
          answer = fail;
          const failed = await get("/verified", bearer(token));
          expect([failed.status, failed.text.includes("marker-x")]).toEqual([500, false]);
        }
      });
    });
  });
}

function raise(error: unknown): never {
  throw error;
}
