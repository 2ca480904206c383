import { describe, expect, it } from "vitest";
import { act, passed, refused, told, who } from "../support/answers.ts";
import { forge, goodClaims } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

/** The user behind a token. */
export function feature(harness: Harness): void {
  describe("users", () => {
    it.each(["at once", "later"])("are looked up %s and handed to the route", async (when) => {
      const find = (_header: unknown, { sub }: { sub: string }) => (sub === "ada" ? { name: "Ada" } : null);
      const userLookup =
        when === "at once" ? find : async (header: unknown, claims: { sub: string }) => find(header, claims);
      const manager = managerOf({ loaders: { userLookup } });
      const routes = [who(), who({ optional: true }, "/optional")];
      await serving(harness, manager, routes, {}, async ({ get }) => {
        const answer = await get("/me", bearer(await manager.createAccessToken("ada")));
        expect(answer.json()).toMatchObject({ id: "ada", user: { name: "Ada" } });
        for (const path of ["/me", "/optional"]) {
          const gone = await get(path, bearer(await manager.createAccessToken("marker-bob")));
          refused(gone, 401, "user_not_found");
          expect(gone.text).not.toContain("marker-bob");
        }
        passed(await get("/optional"), null);
      });
    });

    it.each([0, false, ""])("may be %j", async (user) => {
      const manager = managerOf({ loaders: { userLookup: () => user } });
      const route = {
        ...who(),
        handler: (tools: { getAuth(): { user: unknown } }) => ({ json: { user: tools.getAuth().user } }),
      };
      await serving(harness, manager, [route], {}, async ({ get }) => {
        const answer = await get("/me", bearer(await manager.createAccessToken("ada")));
        expect([answer.status, answer.json()]).toEqual([200, { user }]);
      });
    });

    it("whose look-up fails let nobody in, and say nothing of why", async () => {
      for (const fail of [
        () => Promise.reject(new Error("marker-db")),
        () => raise(new Error("marker-db")),
        () => raise(1),
      ]) {
        const manager = managerOf({ loaders: { userLookup: fail } });
        await serving(harness, manager, [who()], {}, async ({ get }) => {
          const answer = await get("/me", bearer(await manager.createAccessToken("ada")));
          expect(answer.status).toBe(500);
          expect(answer.text).not.toContain("marker-db");
        });
      }
    });

    it("may be anything that userIdentity turns into text", async () => {
      const userIdentity = (user: { id: number }) => String(user.id);
      const manager = managerOf({ loaders: { userIdentity } });
      await serving(harness, manager, [who()], {}, async ({ get }) => {
        passed(await get("/me", bearer(await manager.createAccessToken({ id: 7 }))), "7");
      });
      for (const identity of [7, "", null, undefined, {}, [], true]) {
        const refusal = await managerOf()
          .createAccessToken(identity)
          .catch((error: unknown) => error);
        expect(refusal).toMatchObject({ code: "identity_invalid", message: expect.stringContaining("userIdentity") });
      }
    });

    it("stand under another claim where it is named", async () => {
      const manager = managerOf({ identityClaim: "uid" });
      const { sub: _, ...claims } = goodClaims();
      await serving(harness, manager, [who()], {}, async ({ get }) => {
        passed(await get("/me", bearer(await manager.createAccessToken("ada"))));
        passed(await get("/me", bearer(forge({ ...claims, uid: "eve" }))), "eve");
        for (const uid of [null, 7, ["ada"], {}]) {
          refused(await get("/me", bearer(forge({ ...claims, uid }))), 401, "token_claim");
        }
        refused(await get("/me", bearer(forge(goodClaims()))), 401, "token_claim");
      });
    });

    it("are refused where sub is no text, or missing", async () => {
      const { sub: _, ...claims } = goodClaims();
      await serving(harness, managerOf(), [who()], {}, async ({ get }) => {
        for (const token of [forge(claims), ...[null, 7, [], {}, true].map((sub) => forge(goodClaims({ sub })))]) {
          refused(await get("/me", bearer(token)), 401, "token_claim");
        }
      });
    });

    it("do not exist for routes without a guard", async () => {
      const open = act(
        "/open",
        told((tools) => ({ json: tools.getAuth().identity })),
      );
      await serving(harness, managerOf(), [open], {}, async ({ get }) => {
        const answer = await get("/open", bearer(await managerOf().createAccessToken("ada")));
        expect([answer.status, answer.json()]).toEqual([599, expect.objectContaining({ code: "no_auth_context" })]);
      });
    });
  });
}

function raise(error: unknown): never {
  throw error;
}
