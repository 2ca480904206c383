import { describe, expect, it } from "vitest";
import { passed, refused, who } from "../support/answers.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, JSON_TYPE, managerOf, serving } from "../support/serve.ts";

/** A token in the address: off by default. */
export function feature(harness: Harness): void {
  const routes = [who(), who({ optional: true }, "/optional")];

  describe("query string", () => {
    it("is not looked at by default", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const name of ["jwt", "access_token", "token"]) {
          refused(await get(`/me?${name}=${token}`), 401, "token_missing");
          passed(await get(`/me?${name}=${token}`, bearer(token)));
        }
      });
    });

    it("is read where it is switched on, under its exact name", async () => {
      const manager = managerOf({ tokenLocation: ["query_string"] });
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        const answer = await get(`/me?a=1&jwt=${token}&b=2`);
        passed(answer);
        expect(answer.json()).toMatchObject({ location: "query_string" });
        for (const query of ["", "?", "?jwt", "?jwt=", `?JWT=${token}`, `?a=jwt=${token}`]) {
          refused(await get(`/me${query}`), 401, "token_missing");
          passed(await get(`/optional${query}`), null);
        }
        for (const query of ["?jwt=x", "?jwt=%", "?jwt=%ff%fe", "?jwt=a.b.c", "?jwt=null", `?jwt=Bearer%20${token}`]) {
          refused(await get(`/me${query}`), 401, "token_invalid");
          refused(await get(`/optional${query}`), 401, "token_invalid");
        }
        refused(await get("/me", bearer(token)), 401, "token_missing");
      });
    });

    it("may have another name and a prefix", async () => {
      const manager = managerOf({
        tokenLocation: "query_string",
        queryStringName: "key",
        queryStringValuePrefix: "Bearer ",
      });
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        passed(await get(`/me?key=Bearer%20${token}`));
        passed(await get(`/me?key=Bearer+${token}`));
        refused(await get(`/me?key=${token}`), 400, "invalid_request");
        refused(await get(`/optional?key=${token}`), 400, "invalid_request");
        refused(await get(`/me?key=Bearer%20`), 401, "token_invalid");
        refused(await get(`/me?jwt=${token}`), 401, "token_missing");
      });
    });

    it("beside a token in a header or a body is a request that is refused", async () => {
      const manager = managerOf({ tokenLocation: ["query_string", "json", "headers"] });
      const token = await manager.createAccessToken("ada");
      const body = JSON.stringify({ access_token: token });
      await serving(harness, manager, routes, {}, async ({ get, postJson }) => {
        for (const path of ["/me", "/optional"]) {
          refused(await get(`${path}?jwt=${token}`, bearer(token)), 400, "invalid_request");
          refused(await get(`${path}?jwt=x`, bearer(token)), 400, "invalid_request");
          refused(await postJson(`${path}?jwt=${token}`, body), 400, "invalid_request");
          refused(await postJson(path, body, bearer(token)), 400, "invalid_request");
        }
        passed(await postJson("/me", body));
        passed(await postJson(`/me?jwt=${token}`, "{}"));
        passed(await get(`/me?jwt=${token}`, JSON_TYPE));
      });
    });

    it("leaves the token out of what a refusal says", async () => {
      const manager = managerOf({ tokenLocation: ["query_string"] });
      await serving(harness, manager, routes, {}, async ({ get }) => {
        const answer = await get("/me?jwt=marker.marker.marker");
        refused(answer, 401, "token_invalid");
        expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toContain("marker");
      });
    });
  });
}
