import { describe, expect, it } from "vitest";
import { act, cookie, cookiesOf, passed, refused, told, who } from "../support/answers.ts";
import { forge, goodClaims, seconds } from "../support/forge.ts";
import type { AnyManager, Harness, TestRoute } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

const ALL = ["access_token", "csrf_access", "refresh_token", "csrf_refresh"];
const COOKIES = { tokenLocation: ["cookies"] };

/** Routes that set and clear cookies in every way. */
function routesOf(manager: AnyManager): TestRoute[] {
  const set = (path: string, run: TestRoute["handler"]): TestRoute =>
    act(
      path,
      told(async (tools) => {
        await run(tools);
        return { json: "done" };
      }),
    );
  return [
    who(),
    act("/login", async (tools) => tools.sendTokens(await manager.createTokenPair("ada"))),
    set("/set", async (tools) => {
      await tools.setAccessCookies(await manager.createAccessToken("ada"));
      await tools.setRefreshCookies(await manager.createRefreshToken("ada"));
      return { json: null };
    }),
    set("/age", async (tools) => {
      await tools.setAccessCookies(await manager.createAccessToken("ada"), {
        maxAge: Number(tools.query.get("age")),
      });
      return { json: null };
    }),
    set("/domain", async (tools) => {
      await tools.setAccessCookies(await manager.createAccessToken("ada"), {
        domain: tools.query.get("domain") ?? "",
      });
      return { json: null };
    }),
    set("/unset", async (tools) => ({ json: await tools.unsetJwtCookies() })),
    set("/unset-access", async (tools) => ({ json: await tools.unsetAccessCookies() })),
    set("/unset-refresh", async (tools) => ({ json: await tools.unsetRefreshCookies() })),
  ];
}

/** Token cookies: names, attributes, life and duplicates. */
export function feature(harness: Harness): void {
  describe("cookies", () => {
    it.each(["/login", "/set"])("are set safely by default: %s", async (path) => {
      const manager = managerOf(COOKIES);
      await serving(harness, manager, routesOf(manager), {}, async ({ get, send }) => {
        const answer = await send({ method: "POST", path });
        const cookies = cookiesOf(answer);
        expect(answer.header("cache-control")).toEqual(["no-store"]);
        expect(Object.keys(cookies).sort()).toEqual(ALL.map((name) => `__Host-${name}`).sort());
        for (const name of ALL) {
          const attributes: Readonly<Record<string, string>> = cookies[`__Host-${name}`]?.attributes ?? {};
          const life = name.endsWith("access") || name.startsWith("access") ? 900 : 2_592_000;
          const { "max-age": maxAge, ...others } = attributes;
          const httpOnly = name.endsWith("_token") ? { httponly: "" } : {};
          expect(others).toEqual({ path: "/", secure: "", samesite: "Lax", ...httpOnly });
          expect(Math.abs(Number(maxAge) - life)).toBeLessThan(3);
        }
        const token = cookies["__Host-access_token"]?.value ?? "";
        expect(cookies["__Host-csrf_access"]?.value).toBe((await manager.decodeToken(token)).csrf);
        expect(cookies["__Host-csrf_refresh"]?.value).not.toBe(cookies["__Host-csrf_access"]?.value);
        if (path === "/login") expect(answer.text).not.toContain(token.slice(-30));
        const seen = await get("/me", cookie(`__Host-access_token=${token}`));
        passed(seen);
        expect(seen.json()).toMatchObject({ location: "cookies" });
      });
    });

    it("are cleared with the attributes they were set with", async () => {
      for (const options of [COOKIES, { ...COOKIES, cookieDomain: "example.com", accessCookiePath: "/api" }]) {
        const manager = managerOf(options);
        await serving(harness, manager, routesOf(manager), {}, async ({ get }) => {
          const set = cookiesOf(await get("/set"));
          const cleared = cookiesOf(await get("/unset"));
          expect(Object.keys(cleared).sort()).toEqual(Object.keys(set).sort());
          for (const [name, { value, attributes }] of Object.entries(cleared)) {
            const { "max-age": age, expires, ...others } = attributes;
            expect([value, age, expires]).toEqual(["", "0", "Thu, 01 Jan 1970 00:00:00 GMT"]);
            const { "max-age": _, ...before } = set[name]?.attributes ?? {};
            expect(others).toEqual(before);
          }
          const access = Object.keys(cookiesOf(await get("/unset-access")));
          const refresh = Object.keys(cookiesOf(await get("/unset-refresh")));
          expect(access.every((name) => name.includes("access")) && access.length === 2).toBe(true);
          expect(refresh.every((name) => name.includes("refresh")) && refresh.length === 2).toBe(true);
        });
      }
    });

    it("get the prefix that domain, path and Secure allow", async () => {
      const names = async (options: object): Promise<string[]> => {
        const manager = managerOf({ ...COOKIES, ...options });
        let found: string[] = [];
        await serving(harness, manager, routesOf(manager), {}, async ({ get }) => {
          found = Object.keys(cookiesOf(await get("/set")));
        });
        return found;
      };
      expect(await names({ cookieDomain: "example.com" })).toEqual(ALL.map((name) => `__Secure-${name}`));
      expect(await names({ cookieSecure: false })).toEqual(ALL);
      expect(await names({ cookiePrefix: "" })).toEqual(ALL);
      expect(await names({ refreshCookiePath: "/refresh" })).toEqual([
        "__Host-access_token",
        "__Host-csrf_access",
        "__Secure-refresh_token",
        "__Host-csrf_refresh",
      ]);
      expect(await names({ accessCookieName: "__Secure-mine", accessCsrfCookieName: "own" })).toEqual([
        "__Secure-mine",
        "__Host-own",
        "__Host-refresh_token",
        "__Host-csrf_refresh",
      ]);
      expect(await names({ csrfInCookies: false })).toEqual(["__Host-access_token", "__Host-refresh_token"]);
      expect(await names({ cookieCsrfProtect: false })).toEqual(["__Host-access_token", "__Host-refresh_token"]);
      expect(await names({ csrfMode: "fetch-metadata" })).toEqual(["__Host-access_token", "__Host-refresh_token"]);
    });

    it("are read under the configured name alone, as sent", async () => {
      const manager = managerOf(COOKIES);
      const token = await manager.createAccessToken("ada");
      const bob = await manager.createAccessToken("bob");
      await serving(harness, manager, routesOf(manager), {}, async ({ get }) => {
        passed(await get("/me", cookie(`access_token=${bob}`, `__Host-access_token=${token}`)));
        passed(await get("/me", cookie(`__Host-access_token=${token}`, `access_token=${bob}`, "a=b")));
        for (const other of [
          "access_token",
          "__host-access_token",
          "__Secure-access_token",
          "x__Host-access_token",
          "__Host-access_token2",
        ]) {
          refused(await get("/me", cookie(`${other}=${token}`)), 401, "token_missing");
        }
        refused(await get("/me", cookie("__Host-access_token=")), 401, "token_missing");
        for (const value of ["%", "%zz", `"${token}"`, `${token}x`, encodeURIComponent("a.b.c=")]) {
          refused(await get("/me", cookie(`__Host-access_token=${value}`)), 401, "token_invalid");
        }
      });
    });

    it("follow the token's own end, end with the browser, or live as long as the call says", async () => {
      const manager = managerOf({ ...COOKIES, accessTokenExpires: "2m" });
      await serving(harness, manager, routesOf(manager), {}, async ({ get }) => {
        const age = (answer: Awaited<ReturnType<typeof get>>) =>
          cookiesOf(answer)["__Host-access_token"]?.attributes["max-age"];
        expect(Number(age(await get("/set")))).toBeGreaterThan(117);
        expect(age(await get("/age?age=77"))).toBe("77");
        expect(age(await get("/age?age=0"))).toBe("0");
        expect((await get("/age?age=1.5")).json()).toMatchObject({ code: "cookie_unusable" });
      });
      const session = managerOf({ ...COOKIES, sessionCookie: true });
      await serving(harness, session, routesOf(session), {}, async ({ get }) => {
        for (const { attributes } of Object.values(cookiesOf(await get("/set")))) {
          expect(attributes).not.toHaveProperty("max-age");
          expect(attributes).not.toHaveProperty("expires");
        }
      });
    });

    it("take their domain from a function of the request", async () => {
      const cookieDomain = (request: { header(name: string): readonly string[] }) =>
        request.header("host")[0] === "a.example.com" ? "example.com" : undefined;
      const manager = managerOf({ ...COOKIES, cookieDomain });
      await serving(harness, manager, routesOf(manager), {}, async ({ get, send }) => {
        const there = cookiesOf(await send({ path: "/set", headers: [["Host", "a.example.com"]] }));
        const here = cookiesOf(await get("/set"));
        // The web and Node adapters' responses may know no request: then the call says the domain itself.
        if (Object.keys(there).length === 0) {
          const told = cookiesOf(await get("/domain?domain=example.com"));
          expect(told["__Secure-access_token"]?.attributes).toMatchObject({ domain: "example.com" });
          expect((await get("/set")).json()).toMatchObject({ code: "cookie_unusable" });
        } else {
          expect(there["__Secure-access_token"]?.attributes).toMatchObject({ domain: "example.com" });
          expect(here["__Secure-access_token"]?.attributes).not.toHaveProperty("domain");
        }
      });
    });

    it("refuse a domain that cannot be one, and one beside a __Host- name", async () => {
      const manager = managerOf(COOKIES);
      await serving(harness, manager, routesOf(manager), {}, async ({ get }) => {
        for (const domain of ["example.com", "", "a;b", "a%0d%0ab", "-x"]) {
          const answer = await get(`/domain?domain=${domain}`);
          expect([domain, answer.status, answer.setCookies]).toEqual([domain, 599, []]);
          expect(answer.json()).toMatchObject({ code: "cookie_unusable" });
        }
      });
    });

    it("are refused where browsers would drop them for their size", async () => {
      const manager = managerOf(COOKIES);
      const big = act(
        "/big",
        told(async (tools) => {
          const pad = "x".repeat(Number(tools.query.get("size")));
          await tools.setAccessCookies(await manager.createAccessToken("ada", { claims: { pad } }));
          return { json: "done" };
        }),
      );
      await serving(harness, manager, [big, who()], {}, async ({ get }) => {
        const fits = cookiesOf(await get("/big?size=2500"))["__Host-access_token"];
        expect(`${fits?.name}${fits?.value}`.length).toBeLessThanOrEqual(4096);
        const answer = await get("/big?size=3000");
        expect(answer.json()).toMatchObject({ code: "cookie_unusable", message: expect.stringContaining("4096") });
        expect(answer.setCookies).toEqual([]);
      });
    });

    it("of one name are each verified, and the one that lives is used", async () => {
      const manager = managerOf({ ...COOKIES, legacyCookies: [{ path: "/old" }, { domain: "example.com" }] });
      const live = await manager.createAccessToken("ada");
      const other = await manager.createAccessToken("bob");
      const dead = forge(goodClaims({ exp: seconds() - 100, iat: seconds() - 900 }));
      const pair = (...values: string[]) => cookie(...values.map((value) => `__Host-access_token=${value}`));
      await serving(harness, manager, routesOf(manager), {}, async ({ get }) => {
        for (const values of [
          [dead, live],
          [live, dead],
          [live, "x"],
          ["x", live],
          [dead, "x", "y", live],
        ]) {
          const answer = await get("/me", pair(...values));
          passed(answer);
          expect(answer.setCookies).toEqual([
            expect.stringMatching(/^__Host-access_token=; Path=\/old; Max-Age=0;/),
            expect.stringMatching(/^__Host-access_token=; Path=\/; Domain=example.com; Max-Age=0;/),
          ]);
        }
        passed(await get("/me", pair(live, live, live, live, live, live)));
        for (const values of [
          [live, other],
          [other, live],
          ["a", "b", "c", "d", live],
        ]) {
          refused(await get("/me", pair(...values)), 401, "ambiguous_cookies");
        }
        refused(await get("/me", pair("x", "y")), 401, "token_invalid");
      });
    });

    it("that are doubled and all expired are an expired token", async () => {
      const manager = managerOf(COOKIES);
      const old = (jti: string) => forge(goodClaims({ jti, exp: seconds() - 100, iat: seconds() - 900 }));
      await serving(harness, manager, routesOf(manager), {}, async ({ get }) => {
        const both = cookie(`__Host-access_token=${old("a")}`, `__Host-access_token=${old("b")}`);
        refused(await get("/me", both), 401, "token_expired");
      });
    });

    it("stand beside a header in the order of tokenLocation", async () => {
      for (const places of [
        ["cookies", "headers"],
        ["headers", "cookies"],
      ]) {
        const manager = managerOf({ tokenLocation: places });
        const ada = await manager.createAccessToken("ada");
        const bob = await manager.createAccessToken("bob");
        const expired = forge(goodClaims({ exp: seconds() - 100, iat: seconds() - 900 }));
        await serving(harness, manager, routesOf(manager), {}, async ({ get }) => {
          const first = places[0] === "cookies" ? "ada" : "bob";
          passed(await get("/me", cookie(`__Host-access_token=${ada}`), bearer(bob)), first);
          passed(await get("/me", cookie(`__Host-access_token=${expired}`), bearer(bob)), "bob");
          passed(await get("/me", cookie(`__Host-access_token=${ada}`)));
          passed(await get("/me", bearer(bob)), "bob");
          const stale = await get("/me", cookie("__Host-access_token=x"), bearer(bob));
          if (first === "ada") refused(stale, 401, "token_invalid");
          else passed(stale, "bob");
        });
      }
    });
  });
}
