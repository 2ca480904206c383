import { describe, expect, it } from "vitest";
import { passed, refused, who } from "../support/answers.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

/** A token as a member of a JSON body. */
export function feature(harness: Harness): void {
  const routes = [
    who(),
    who({ optional: true }, "/optional"),
    who({ refresh: true }, "/refresh"),
    who({ verifyType: false }, "/any"),
  ];

  describe("JSON body", () => {
    it("is read for access and refresh tokens under their own names", async () => {
      const manager = managerOf({ tokenLocation: ["json"] });
      const access_token = await manager.createAccessToken("ada");
      const refresh_token = await manager.createRefreshToken("ada");
      await serving(harness, manager, routes, {}, async ({ postJson }) => {
        const post = (path: string, body: unknown) => postJson(path, JSON.stringify(body));
        const answer = await post("/me", { access_token });
        passed(answer);
        expect(answer.json()).toMatchObject({ location: "json" });
        passed(await post("/refresh", { refresh_token }));
        passed(await post("/me", { access_token, refresh_token }));
        refused(await post("/me", { refresh_token }), 401, "token_missing");
        refused(await post("/refresh", { access_token }), 401, "token_missing");
        refused(await post("/me", { access_token: refresh_token }), 401, "wrong_token_type");
        refused(await post("/refresh", { refresh_token: access_token }), 401, "wrong_token_type");
        passed(await post("/any", { access_token }));
        passed(await post("/any", { refresh_token }));
      });
    });

    it("may have other member names", async () => {
      const manager = managerOf({ tokenLocation: ["json"], jsonKey: "a", refreshJsonKey: "r" });
      const a = await manager.createAccessToken("ada");
      const r = await manager.createRefreshToken("ada");
      await serving(harness, manager, routes, {}, async ({ postJson }) => {
        passed(await postJson("/me", JSON.stringify({ a, r })));
        passed(await postJson("/refresh", JSON.stringify({ a, r })));
        refused(await postJson("/me", JSON.stringify({ access_token: a })), 401, "token_missing");
      });
    });

    it("counts absence as no token and anything else in its place as a bad one", async () => {
      await serving(harness, managerOf({ tokenLocation: "json" }), routes, {}, async ({ postJson, get }) => {
        const absent = [
          "{}",
          '{"access_token":null}',
          '{"access_token":""}',
          "[]",
          "null",
          "5",
          '"x"',
          "true",
          "[1,2]",
        ];
        for (const body of absent) {
          refused(await postJson("/me", body), 401, "token_missing");
          passed(await postJson("/optional", body), null);
        }
        const bad = ["1", "0", "true", "false", "[]", "{}", '["x"]', '"x"', '{"a":1}'];
        for (const value of bad) {
          refused(await postJson("/me", `{"access_token":${value}}`), 401, "token_invalid");
          refused(await postJson("/optional", `{"access_token":${value}}`), 401, "token_invalid");
        }
        refused(await get("/me"), 401, "token_missing");
      });
    });

    it("does not find a token in a prototype", async () => {
      const manager = managerOf({ tokenLocation: "json" });
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ postJson }) => {
        refused(await postJson("/me", `{"__proto__":{"access_token":"${token}"}}`), 401, "token_missing");
        expect(({} as { access_token?: unknown }).access_token).toBeUndefined();
      });
    });

    it("comes after a header that has none, in the order given", async () => {
      const manager = managerOf({ tokenLocation: ["headers", "json"] });
      const [ada, bob] = [await manager.createAccessToken("ada"), await manager.createAccessToken("bob")];
      await serving(harness, manager, routes, {}, async ({ postJson, get }) => {
        passed(await postJson("/me", JSON.stringify({ access_token: ada })));
        passed(await get("/me", bearer(bob)), "bob");
        passed(await postJson("/me", "{}", bearer(bob)), "bob");
        refused(await postJson("/me", JSON.stringify({ access_token: ada }), bearer(bob)), 400, "invalid_request");
        refused(await postJson("/me", "{}", bearer("x")), 401, "token_invalid");
      });
    });

    it("is refused with 413 where it is too large", async () => {
      const manager = managerOf({ tokenLocation: ["json"], maxBodyBytes: 1000 });
      const access_token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, { parsers: false }, async ({ postJson }) => {
        passed(await postJson("/me", JSON.stringify({ access_token, pad: "x".repeat(200) })));
        for (const path of ["/me", "/optional"]) {
          const answer = await postJson(path, JSON.stringify({ access_token, pad: "x".repeat(1200) }));
          refused(answer, 413, "body_too_large");
        }
      });
    });
  });
}
