import { describe, expect, it } from "vitest";
import { passed, refused, who } from "../support/answers.ts";
import { forge, goodClaims, seconds } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";
import { downStore, oldStore } from "../support/stores.ts";

/** Routes that anonymous clients may use, too. */
export function feature(harness: Harness): void {
  const routes = [
    who({ optional: true }, "/optional"),
    who({ optional: "lenient" }, "/lenient"),
    who({ optional: "lenient", roles: "admin" }, "/lenient-admin"),
  ];
  const expired = () => forge(goodClaims({ iat: seconds() - 900, exp: seconds() - 60 }));

  describe("optional guards", () => {
    it("let a request without a token pass as nobody", async () => {
      await serving(harness, managerOf(), routes, {}, async ({ get }) => {
        for (const { path } of routes) {
          const answer = await get(path);
          passed(answer, null);
          expect(answer.json()).toEqual({ id: null, location: null, session: null, user: null, reason: "missing" });
        }
      });
    });

    it("let a good token pass", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        passed(await get("/optional", bearer(token)));
        passed(await get("/lenient", bearer(token)));
      });
    });

    it("refuse every bad token", async () => {
      const manager = managerOf();
      const revoked = await manager.createAccessToken("ada");
      await manager.revokeToken(revoked);
      const bad: [string, string][] = [
        ["x", "token_invalid"],
        [forge(goodClaims(), undefined, "another-secret-of-at-least-32-bytes!"), "token_invalid"],
        [await manager.createRefreshToken("ada"), "wrong_token_type"],
        [forge(goodClaims({ aud: "others" })), "token_audience"],
        [forge(goodClaims({ nbf: seconds() + 100 })), "token_not_yet_valid"],
        [revoked, "token_revoked"],
      ];
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const [token, code] of bad) {
          refused(await get("/optional", bearer(token)), 401, code);
          refused(await get("/lenient", bearer(token)), 401, code);
        }
      });
    });

    it("differ on a token that is only expired", async () => {
      await serving(harness, managerOf({ store: oldStore() }), routes, {}, async ({ get }) => {
        refused(await get("/optional", bearer(expired())), 401, "token_expired");
        const answer = await get("/lenient", bearer(expired()));
        passed(answer, null);
        expect(answer.json()).toMatchObject({ reason: "expired" });
      });
    });

    it("are lenient with nothing but the end", async () => {
      const manager = managerOf({ store: oldStore() });
      const old = { iat: seconds() - 900, exp: seconds() - 60 };
      const revoked = expired();
      await manager.revokeToken(revoked);
      const bad: [string, number, string][] = [
        [forge(goodClaims({ ...old, type: "refresh" })), 401, "wrong_token_type"],
        [forge(goodClaims({ ...old, aud: "others" })), 401, "token_audience"],
        [forge(goodClaims(old), undefined, "another-secret-of-at-least-32-bytes!"), 401, "token_invalid"],
        [revoked, 401, "token_revoked"],
      ];
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const [token, status, code] of bad) refused(await get("/lenient", bearer(token)), status, code);
        refused(await get("/lenient-admin", bearer(forge(goodClaims(old)))), 403, "insufficient_role");
      });
      await serving(harness, managerOf({ store: downStore() }), routes, {}, async ({ get }) => {
        refused(await get("/lenient", bearer(expired())), 503, "store_unavailable");
        passed(await get("/lenient"), null);
      });
    });

    it("leave nobody of an earlier request behind", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        const asked = Array.from({ length: 40 }, (_, i) => get("/optional", ...(i % 2 ? [bearer(token)] : [])));
        for (const [i, answer] of (await Promise.all(asked)).entries()) passed(answer, i % 2 ? "ada" : null);
      });
    });

    it("throw from getAuth where nobody is behind the request", async () => {
      const strict = {
        ...who({ optional: true }, "/strict"),
        handler: (tools: { getAuth(): { identity: string } }) => ({ json: { id: tools.getAuth().identity } }),
      };
      await serving(harness, managerOf(), [strict], {}, async ({ get }) => {
        refused(await get("/strict"), 401, "token_missing");
      });
    });
  });
}
