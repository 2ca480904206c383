import { describe, expect, it } from "vitest";
import { cookie, passed, refused, who } from "../support/answers.ts";
import { claimsOf } from "../support/forge.ts";
import type { AnyManager, Harness } from "../support/harness/types.ts";
import { bearer, type Client, JSON_TYPE, managerOf, serving } from "../support/serve.ts";

const METHODS = ["POST", "PUT", "PATCH", "DELETE"];
const FORM = ["Content-Type", "application/x-www-form-urlencoded"] as const;
const MANAGER = { tokenLocation: ["cookies", "headers"], csrfCheckForm: true };

interface Login {
  readonly cookie: readonly [string, string];
  readonly refreshCookie: readonly [string, string];
  readonly access: string;
  readonly csrf: string;
  readonly refreshCsrf: string;
}

async function login(manager: AnyManager, identity = "ada"): Promise<Login> {
  const { access_token, refresh_token } = await manager.createTokenPair(identity);
  return {
    cookie: cookie(`__Host-access_token=${access_token}`),
    refreshCookie: cookie(`__Host-refresh_token=${refresh_token}`),
    access: access_token,
    csrf: String(claimsOf(access_token).csrf),
    refreshCsrf: String(claimsOf(refresh_token).csrf),
  };
}

/** Cookie requests that change something must prove that they come from our own pages. */
export function feature(harness: Harness): void {
  const routes = [
    who({}, "/me", [...METHODS, "GET", "OPTIONS"]),
    who({ refresh: true }, "/refresh"),
    who({ optional: true }, "/optional"),
  ];
  const csrf = (value: string) => ["X-CSRF-TOKEN", value] as const;

  describe("CSRF", () => {
    it("lets the right value pass, in the configured place, and nothing else", async () => {
      const manager = managerOf(MANAGER);
      const [old, mine, other] = [await login(manager), await login(manager), await login(manager, "bob")];
      const values: [value: string | undefined, code: string | undefined][] = [
        [undefined, "csrf_missing"],
        ["", "csrf_missing"],
        ["wrong", "csrf_mismatch"],
        [`${mine.csrf}x`, "csrf_mismatch"],
        [mine.csrf.toLowerCase().replace(/./, "?"), "csrf_mismatch"],
        [other.csrf, "csrf_mismatch"],
        [old.csrf, "csrf_mismatch"],
        [mine.refreshCsrf, "csrf_mismatch"],
        [mine.csrf, undefined],
      ];
      await serving(harness, manager, routes, {}, async ({ send, get }) => {
        for (const method of METHODS) {
          for (const [value, code] of values) {
            const byHeader = value === undefined ? [mine.cookie] : [mine.cookie, csrf(value)];
            const headed = await send({ method, path: "/me", headers: byHeader });
            const field = value === undefined ? "a=1" : `a=1&csrf_token=${value}`;
            const formed = await send({ method, path: "/me", headers: [mine.cookie, FORM], body: field });
            for (const answer of [headed, formed]) {
              if (code === undefined) passed(answer);
              else refused(answer, 403, code);
            }
            const query = await send({ method, path: `/me?csrf_token=${value ?? ""}`, headers: [mine.cookie] });
            refused(query, 403, "csrf_missing");
          }
        }
        for (const method of ["GET", "HEAD", "OPTIONS"]) {
          const { status, setCookies } = await send({ method, path: "/me", headers: [mine.cookie] });
          expect([method, status, setCookies]).toEqual([method, 200, []]);
        }
        passed(await get("/me", mine.cookie, csrf("wrong")));
      });
    });

    it("has a value of its own for refresh tokens", async () => {
      const manager = managerOf(MANAGER);
      const mine = await login(manager);
      await serving(harness, manager, routes, {}, async ({ send }) => {
        const post = (value: string) =>
          send({ method: "POST", path: "/refresh", headers: [mine.refreshCookie, csrf(value)] });
        passed(await post(mine.refreshCsrf));
        refused(await post(mine.csrf), 403, "csrf_mismatch");
      });
    });

    it("reads other header and field names for each kind", async () => {
      const manager = managerOf({
        ...MANAGER,
        accessCsrfHeaderName: "X-A",
        refreshCsrfHeaderName: "X-R",
        accessCsrfFieldName: "a",
        refreshCsrfFieldName: "r",
      });
      const mine = await login(manager);
      await serving(harness, manager, routes, {}, async ({ send }) => {
        const access = (headers: [string, string][], body?: string) =>
          send({ method: "POST", path: "/me", headers: [mine.cookie, ...headers], body });
        passed(await access([["X-A", mine.csrf]]));
        refused(await access([["X-R", mine.csrf]]), 403, "csrf_missing");
        passed(await access([[...FORM]], `a=${mine.csrf}`));
        refused(await access([[...FORM]], `r=${mine.csrf}`), 403, "csrf_missing");
        const refresh = (headers: [string, string][], body?: string) =>
          send({ method: "POST", path: "/refresh", headers: [mine.refreshCookie, ...headers], body });
        passed(await refresh([["X-R", mine.refreshCsrf]]));
        passed(await refresh([[...FORM]], `r=${mine.refreshCsrf}`));
        refused(await refresh([["X-A", mine.refreshCsrf]]), 403, "csrf_missing");
      });
    });

    it("does not read the form unless told to, and never the cookie", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"] });
      const mine = await login(manager);
      await serving(harness, manager, routes, {}, async ({ send }) => {
        const body = `csrf_token=${mine.csrf}`;
        refused(await send({ method: "POST", path: "/me", headers: [mine.cookie, FORM], body }), 403, "csrf_missing");
        // A naive double submit: the attacker sets the readable cookie and sends the same value.
        const tossed = ["Cookie", `${mine.cookie[1]}; __Host-csrf_access=planted`] as const;
        const naive = await send({ method: "POST", path: "/me", headers: [tossed, csrf("planted")] });
        refused(naive, 403, "csrf_mismatch");
        const right = await send({ method: "POST", path: "/me", headers: [tossed, csrf(mine.csrf)] });
        passed(right);
        // From a sibling domain: another cookie of the name beside the victim's, with the value of the attacker's own session.
        const eve = await login(manager, "eve");
        for (const values of [
          [eve.csrf, mine.csrf],
          [mine.csrf, eve.csrf],
          [eve.csrf, eve.csrf],
        ]) {
          const line = [mine.cookie[1], ...values.map((value) => `__Host-csrf_access=${value}`)].join("; ");
          const post = (value: string) =>
            send({ method: "POST", path: "/me", headers: [["Cookie", line], csrf(value)] });
          refused(await post(eve.csrf), 403, "csrf_mismatch");
          passed(await post(mine.csrf));
        }
      });
    });

    it("does not care for content type, method override or a header beside the cookie", async () => {
      const manager = managerOf(MANAGER);
      const mine = await login(manager);
      const types = [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "Application/JSON",
        "application/json;x=text/plain",
        "text/plain;application/json",
      ];
      await serving(harness, manager, routes, {}, async ({ send }: Client) => {
        for (const type of types) {
          const headers = [mine.cookie, ["Content-Type", type]] as const;
          refused(await send({ method: "POST", path: "/me", headers, body: "{}" }), 403, "csrf_missing");
        }
        refused(await send({ method: "POST", path: "/me", headers: [mine.cookie], body: "{}" }), 403, "csrf_missing");
        const extra: (readonly [string, string])[] = [
          ["X-HTTP-Method-Override", "GET"],
          ["X-HTTP-Method", "GET"],
          ["X-Method-Override", "HEAD"],
          bearer("x"),
          bearer(mine.access),
          ["Authorization", "Basic YTpi"],
        ];
        for (const header of extra) {
          const answer = await send({ method: "POST", path: "/me?_method=GET", headers: [mine.cookie, header] });
          refused(answer, 403, "csrf_missing");
        }
        for (const path of ["/me", "/optional"]) {
          refused(await send({ method: "POST", path, headers: [mine.cookie] }), 403, "csrf_missing");
        }
        const both = [mine.cookie, csrf(mine.csrf), csrf(mine.csrf)] as const;
        expect((await send({ method: "POST", path: "/me", headers: both })).status).toBe(403);
        const mixed = [mine.cookie, csrf("wrong"), csrf(mine.csrf)] as const;
        expect((await send({ method: "POST", path: "/me", headers: mixed })).status).toBe(403);
        passed(await send({ method: "POST", path: "/me", headers: [bearer(mine.access)] }));
        passed(await send({ method: "POST", path: "/optional", headers: [] }), null);
      });
    });

    it("goes by the method as it came", async () => {
      const manager = managerOf(MANAGER);
      const mine = await login(manager);
      let moved = 0;
      const transfer = { ...who({}, "/transfer", ["POST"]), handler: () => ({ json: ++moved }) };
      await serving(harness, manager, [...routes, transfer], {}, async ({ send }) => {
        const override = ["X-HTTP-Method-Override", "POST"] as const;
        for (const path of ["/transfer", "/transfer?_method=POST"]) {
          const { status } = await send({ path, headers: [mine.cookie, override] });
          expect([404, 405]).toContain(status);
        }
        for (const body of ["_method=GET", "_method=GET&a=1"]) {
          const headers = [mine.cookie, FORM, ["X-HTTP-Method-Override", "GET"]] as const;
          refused(await send({ method: "POST", path: "/transfer", headers, body }), 403, "csrf_missing");
        }
        passed(await send({ path: "/me", headers: [mine.cookie, FORM], body: "_method=DELETE" }));
        expect(moved).toBe(0);
        const headers = [mine.cookie, csrf(mine.csrf)];
        expect((await send({ method: "POST", path: "/transfer", headers })).json()).toBe(1);
      });
    });

    it("holds a header first order to the header, whatever cookie is sent", async () => {
      const manager = managerOf({ tokenLocation: ["headers", "cookies"] });
      const mine = await login(manager);
      await serving(harness, manager, routes, {}, async ({ send }) => {
        passed(await send({ method: "POST", path: "/me", headers: [mine.cookie, bearer(mine.access)] }));
        refused(await send({ method: "POST", path: "/me", headers: [mine.cookie, bearer("x")] }), 401, "token_invalid");
        const basic = ["Authorization", "Basic YTpi"] as const;
        refused(await send({ method: "POST", path: "/me", headers: [mine.cookie, basic] }), 403, "csrf_missing");
      });
    });

    it("protects the methods that are named, in any case", async () => {
      const manager = managerOf({ ...MANAGER, csrfMethods: ["post", "Get"] });
      const mine = await login(manager);
      await serving(harness, manager, routes, {}, async ({ send }) => {
        for (const method of ["POST", "GET"]) {
          refused(await send({ method, path: "/me", headers: [mine.cookie] }), 403, "csrf_missing");
        }
        passed(await send({ method: "PUT", path: "/me", headers: [mine.cookie] }));
      });
    });

    it("can be switched off", async () => {
      const manager = managerOf({ ...MANAGER, cookieCsrfProtect: false });
      const { access_token } = await manager.createTokenPair("ada");
      expect(claimsOf(access_token)).not.toHaveProperty("csrf");
      await serving(harness, manager, routes, {}, async ({ postJson }) => {
        passed(await postJson("/me", "{}", cookie(`__Host-access_token=${access_token}`), JSON_TYPE));
      });
    });

    it("hands the values out in the body where they are kept out of cookies", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"], csrfInCookies: false });
      const tokens = await manager.createTokenPair("ada");
      const route = who();
      const sending = {
        methods: ["POST"],
        path: "/login",
        handler: (tools: Parameters<typeof route.handler>[0]) => tools.sendTokens(tokens),
      };
      await serving(harness, manager, [route, sending], {}, async ({ send }) => {
        const answer = await send({ method: "POST", path: "/login" });
        const body = answer.json() as Record<string, string>;
        expect(body.csrf_access).toBe(claimsOf(tokens.access_token).csrf);
        expect(body.csrf_refresh).toBe(claimsOf(tokens.refresh_token).csrf);
        expect(answer.setCookies.length).toBe(2);
        const headers = [cookie(`__Host-access_token=${tokens.access_token}`), csrf(body.csrf_access ?? "")] as const;
        passed(await send({ method: "POST", path: "/me", headers }));
      });
    });
  });
}
