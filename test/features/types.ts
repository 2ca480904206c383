import { generateKeyPairSync, sign } from "node:crypto";
import { describe, it } from "vitest";
import { cookie, passed, refused, who } from "../support/answers.ts";
import { forge, goodClaims, seconds, without } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

/** A DPoP proof (RFC 9449 §4.2), in which somebody claims to be ada. */
function proof(): string {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const text = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = text({ alg: "ES256", typ: "dpop+jwt", jwk: publicKey.export({ format: "jwk" }) });
  const asked = { htm: "GET", htu: "http://127.0.0.1/me", jti: "one", iat: seconds() };
  const input = `${header}.${text({ ...goodClaims(), ...asked })}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** A token is good for its own kind of route only. */
export function feature(harness: Harness): void {
  const routes = [
    who(),
    who({ refresh: true }, "/refresh"),
    who({ verifyType: false }, "/any"),
    who({ optional: true }, "/optional"),
  ];

  describe("token types", () => {
    it("are never taken for one another", async () => {
      const manager = managerOf();
      const { access_token, refresh_token } = await manager.createTokenPair("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        passed(await get("/me", bearer(access_token)));
        passed(await get("/refresh", bearer(refresh_token)));
        refused(await get("/me", bearer(refresh_token)), 401, "wrong_token_type");
        refused(await get("/optional", bearer(refresh_token)), 401, "wrong_token_type");
        refused(await get("/refresh", bearer(access_token)), 401, "wrong_token_type");
        for (const token of [access_token, refresh_token]) passed(await get("/any", bearer(token)));
      });
    });

    it("must be exactly access or refresh", async () => {
      await serving(harness, managerOf(), routes, {}, async ({ get }) => {
        const types = ["id", "app", "REFRESH", "Access", "refresh ", " access", "", 1, true, null, [], ["access"], {}];
        const tokens = [...types.map((type) => forge(goodClaims({ type }))), forge(without("type"))];
        for (const token of tokens) {
          for (const path of ["/me", "/refresh", "/any", "/optional"]) {
            refused(await get(path, bearer(token)), 401, "wrong_token_type");
          }
        }
      });
    });

    it("are not the CSRF value, nor an ID token, nor the proof of a key", async () => {
      const manager = managerOf({ tokenLocation: ["headers", "cookies"] });
      const { access_token } = await manager.createTokenPair("ada");
      const csrf = await manager.getCsrfToken(access_token);
      const idToken = forge({ ...without("type", "fresh"), nonce: "n", aud: "client" }, { alg: "HS256", typ: "JWT" });
      await serving(harness, manager, routes, {}, async ({ get }) => {
        refused(await get("/me", bearer(csrf)), 401, "token_invalid");
        refused(await get("/me", cookie(`__Host-access_token=${csrf}`)), 401, "token_invalid");
        refused(await get("/me", bearer(idToken)), 401, "token_audience");
        refused(await get("/me", bearer(proof())), 401, "token_invalid");
      });
    });

    it("come in cookies of their own", async () => {
      const manager = managerOf({ tokenLocation: "cookies" });
      const { access_token, refresh_token } = await manager.createTokenPair("ada");
      const access = `__Host-access_token=${access_token}`;
      const refresh = `__Host-refresh_token=${refresh_token}`;
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const path of ["/me", "/refresh", "/any"]) passed(await get(path, cookie(access, refresh)));
        passed(await get("/any", cookie(refresh)));
        refused(await get("/me", cookie(refresh)), 401, "token_missing");
        refused(await get("/refresh", cookie(access)), 401, "token_missing");
        refused(await get("/me", cookie(`__Host-access_token=${refresh_token}`)), 401, "wrong_token_type");
        refused(await get("/refresh", cookie(`__Host-refresh_token=${access_token}`)), 401, "wrong_token_type");
      });
    });
  });
}
