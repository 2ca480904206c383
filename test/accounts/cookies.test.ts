import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cookiesOf } from "../support/answers.ts";
import { type Browser, browser } from "../support/browser.ts";
import { ADAPTERS } from "../support/harness/types.ts";
import { type Answer, send } from "../support/http.ts";
import { JSON_TYPE } from "../support/serve.ts";
import { bearer, brief, PASSWORD, type Running, startAccounts } from "./server.ts";

type Line = readonly [string, string];
const SAME: Line = ["Sec-Fetch-Site", "same-origin"];
const TOKENS = ["__Host-access_token", "__Host-refresh_token"];

/** A browser that keeps what logins and other answers set. */
function visitor(server: Running): Browser & { sign(path: string, body: object, ...more: Line[]): Promise<Answer> } {
  const client = {
    url: server.url,
    send: (options: Parameters<typeof send>[1]) => send(server.url, { ...options, path: `/auth${options?.path}` }),
  };
  const own = browser(client as never);
  return Object.assign(own, {
    async sign(path: string, body: object, ...more: Line[]) {
      const csrf = own.jar.get("__Host-csrf_access");
      const value: Line[] = csrf === undefined ? [] : [["X-CSRF-TOKEN", csrf]];
      const cookies: Line[] = own.jar.size === 0 ? [] : [own.line()];
      const answer = await server.post(path, body, SAME, ...cookies, ...value, ...more);
      for (const { name, value: set } of Object.values(cookiesOf(answer))) own.jar.set(name, set);
      return answer;
    },
  });
}

describe.each(ADAPTERS)("accounts in cookies through %s", (adapter) => {
  let server: Running;
  beforeAll(async () => {
    server = await startAccounts({ adapter, manager: { tokenLocation: "cookies" } });
  });
  afterAll(() => server.close());
  const login = { username: "ada", password: PASSWORD };

  it("put no token into a body, and set cookies that scripts cannot read", async () => {
    const ada = visitor(server);
    const answer = await ada.sign("/register", login);
    expect([answer.status, answer.json()]).toEqual([201, { expires_in: 900 }]);
    expect(answer.header("cache-control")).toEqual(["no-store"]);
    const cookies = cookiesOf(answer);
    expect(Object.keys(cookies).sort()).toEqual(
      [...TOKENS, "__Host-csrf_access", "__Host-csrf_refresh", "__Host-device"].sort(),
    );
    for (const { name, attributes } of Object.values(cookies)) {
      expect([name, attributes]).toMatchObject([name, { secure: "", samesite: "Lax", path: "/" }]);
      expect([name, "httponly" in attributes]).toEqual([name, !name.includes("csrf")]);
      expect(attributes.domain).toBeUndefined();
    }
    expect(brief(await ada.get("/me"))).toBe("200 ok");
  });

  it("take a browser from login over a change of the password to logout", async () => {
    const name = { username: "carol", password: PASSWORD };
    const carol = visitor(server);
    await carol.sign("/register", name);
    const old = new Map(carol.jar);
    await carol.sign("/login", name);
    // All tokens and values are new; the device stays the same one.
    for (const [cookie, value] of old) {
      expect([cookie, carol.jar.get(cookie) === value]).toEqual([cookie, cookie === "__Host-device"]);
    }
    const change = { currentPassword: PASSWORD, newPassword: "another good one" };
    expect(brief(await server.post("/password", change, SAME, carol.line()))).toBe("403 csrf_missing");
    const csrf = carol.jar.get("__Host-csrf_access");
    expect((await carol.sign("/password", change)).json()).toEqual({ expires_in: 900 });
    expect(carol.jar.get("__Host-csrf_access")).not.toBe(csrf);
    expect(brief(await carol.get("/me"))).toBe("200 ok");
    expect(brief(await carol.ask("POST", "/refresh", "refresh"))).toBe("200 ok");
    expect((await carol.ask("POST", "/logout")).status).toBe(204);
    expect([...carol.jar.keys()]).toEqual(["__Host-device"]);
  });

  it("are refused to pages of other sites, and so are bodies that a form can send", async () => {
    const origins: Line[][] = [
      [
        ["Sec-Fetch-Site", "cross-site"],
        ["Origin", "https://evil.example"],
      ],
      [["Sec-Fetch-Site", "same-site"]],
      [["Origin", "null"]],
      [["Origin", "https://good.example.evil.example"]],
      [["Origin", server.url.replace("http:", "https:").toUpperCase()]],
    ];
    for (const path of ["/login", "/register"]) {
      for (const headers of origins) {
        const answer = await server.post(path, { ...login, username: "fixed" }, ...headers);
        expect([headers, brief(answer), answer.setCookies]).toEqual([headers, "403 csrf_origin", []]);
      }
      const types = [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "text/plain;application/json",
      ];
      for (const type of [...types, "application/jsonp", "application/vnd.api+json"]) {
        const body = JSON.stringify(login);
        const answer = await send(server.url, {
          method: "POST",
          path: `/auth${path}`,
          body,
          headers: [["Content-Type", type], SAME],
        });
        expect([type, brief(answer), answer.setCookies]).toEqual([type, "415 unsupported_media_type", []]);
      }
    }
    expect(brief(await server.login("fixed", PASSWORD, SAME))).toBe("401 invalid_credentials");
    const shouted = await send(server.url, {
      method: "POST",
      path: "/auth/login",
      body: JSON.stringify({ ...login, username: "nobody" }),
      headers: [["Content-Type", "Application/JSON;x=text/plain"], SAME],
    });
    expect(brief(shouted)).toBe("401 invalid_credentials");
  });

  it("know no other place", async () => {
    expect(brief(await server.post("/login", { ...login, via: "body" }, SAME))).toBe("400 field_invalid");
    expect(brief(await server.post("/login", { ...login, via: "jar" }, SAME))).toBe("400 field_invalid");
    expect(brief(await server.post("/login", { ...login, via: "cookies" }, SAME))).toBe("201 ok");
  });
});

describe("accounts for clients of both kinds", () => {
  let server: Running;
  beforeAll(async () => {
    server = await startAccounts({ manager: { tokenLocation: ["headers", "cookies"] } });
    await server.register("ada");
  });
  afterAll(() => server.close());
  const login = { username: "ada", password: PASSWORD };

  it("let each client choose", async () => {
    expect((await server.post("/login", login)).json()).toMatchObject({ access_token: expect.any(String) });
    expect((await server.post("/login", { ...login, via: "body" })).json()).toHaveProperty("refresh_token");
    const cookies = await server.post("/login", { ...login, via: "cookies" });
    expect([cookies.json(), Object.keys(cookiesOf(cookies))]).toEqual([
      { expires_in: 900 },
      expect.arrayContaining(TOKENS),
    ]);
  });

  it("give no token to a script in a page that has cookies, whatever it asks for", async () => {
    const ada = visitor(server);
    await ada.sign("/login", { ...login, via: "cookies" });
    for (const via of ["body", undefined]) {
      const answer = await server.post("/login", { ...login, via }, SAME, ada.line());
      expect(answer.json()).toEqual({ expires_in: 900 });
    }
    const change = { currentPassword: PASSWORD, newPassword: PASSWORD };
    expect((await ada.sign("/password", change)).json()).toEqual({ expires_in: 900 });
  });

  it("change a password in the place where the token came from", async () => {
    const { access_token } = (await server.post("/login", login)).json() as { access_token: string };
    const answer = await server.post("/password", { newPassword: "another good one" }, bearer(access_token));
    expect([answer.json(), Object.keys(cookiesOf(answer))]).toEqual([
      expect.objectContaining({ access_token: expect.any(String) }),
      ["__Host-device"],
    ]);
  });

  it("answer no redirects, and echo no address", async () => {
    for (const next of [
      "//evil.example",
      "https:evil.example",
      "/\\evil.example",
      "%2f%2fevil.example",
      "javascript:alert(1)",
    ]) {
      const headers: Line[] = [JSON_TYPE, ["Referer", next]];
      const answer = await send(server.url, {
        method: "POST",
        path: `/auth/login?next=${encodeURIComponent(next)}&returnTo=${next}`,
        body: JSON.stringify({ ...login, password: "wrong password" }),
        headers,
      });
      expect([brief(answer), answer.header("location"), answer.text.includes("evil")]).toEqual([
        "401 invalid_credentials",
        [],
        false,
      ]);
    }
  });
});
