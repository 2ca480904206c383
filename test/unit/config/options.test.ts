import { ConfigError, isJwtError, JWTManager, memoryStore } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { OPTION_NAMES } from "../../../src/config/checks.ts";
import { LOADER_NAMES } from "../../../src/config/loaders.ts";
import { faultsOf } from "../../support/asking.ts";
import { managerOf, SECRET } from "../../support/serve.ts";

/** Values that are wrong for each option. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  secretKey: ["", 7, true],
  privateKey: ["", 7],
  publicKey: ["", 7],
  algorithm: ["none", "hs256", "HS1", "", 7, null],
  decodeAlgorithms: [[], "HS256", ["none"], ["hs256"], [7]],
  audience: ["", [], [""], 7, true],
  encodeAudience: ["", [], false],
  decodeAudience: ["", [], 7],
  issuer: ["", [], 7, false],
  encodeIssuer: ["", ["a"], 7],
  decodeIssuer: ["", [], 7],
  leeway: [-1, 301, 1.5, "5", Number.NaN],
  encodeNbf: [1, "true"],
  identityClaim: ["", 7],
  verifySub: [0, "no"],
  requireJti: [null, 1],
  scopeClaim: ["", 7],
  rolesClaim: ["", []],
  claimsSchema: [{}, () => true, 7],
  accessTokenExpires: [0, -1, Number.NaN, "15 minuts", "15", "m", true, 1.5, Number.POSITIVE_INFINITY, "-5m"],
  refreshTokenExpires: [0, -1, "forever", null],
  maxAccessLifetime: [0, -1, true, "x"],
  maxRefreshLifetime: [0, "0d", true],
  tokenLocation: [[], "header", ["headers", "headers"], ["body"], 7],
  headerName: ["", "a b", "a:", "ä"],
  headerType: ["a b", "ä", 7],
  queryStringName: ["", 7],
  queryStringValuePrefix: [7],
  jsonKey: ["", 7],
  refreshJsonKey: [""],
  maxBodyBytes: [0, -1, 1.5, "1k"],
  accessCookieName: ["", "a;b", "a=b", "a b", "a\n", 'a"'],
  refreshCookieName: ["", "a,b"],
  accessCookiePath: ["", "api", "/a;b", "/a b", "/a\r\n"],
  refreshCookiePath: ["api"],
  cookieDomain: ["", "a b", "a;b", "-a", "a..b", 7],
  cookieSecure: ["yes", 1],
  cookieSameSite: ["lax", "none", "", 7],
  sessionCookie: [1],
  cookiePrefix: ["__Host-", true],
  legacyCookies: [{}, [{ domain: "a b" }], [{ path: "x" }]],
  implicitRefresh: ["yes", 1],
  cookieCsrfProtect: ["false"],
  csrfMode: ["off", true],
  trustedOrigins: ["https://a.example", ["a.example"], ["https://a.example/"], ["*"], ["https://A.example"], ["null"]],
  publicOrigin: ["a.example", "https://a.example/x", "*", 7],
  csrfMethods: ["POST", ["PO ST"], [7], [""]],
  csrfCheckForm: [1],
  csrfInCookies: ["no"],
  accessCsrfCookieName: ["", "a;b"],
  refreshCsrfCookieName: ["", "a b"],
  accessCsrfCookiePath: ["x"],
  refreshCsrfCookiePath: ["x"],
  accessCsrfHeaderName: ["", "a b"],
  refreshCsrfHeaderName: ["", "a:"],
  accessCsrfFieldName: [""],
  refreshCsrfFieldName: ["", 7],
  dpop: [
    "yes",
    7,
    null,
    { maxage: 60 },
    { required: "yes" },
    ...[[], "ES256", ["HS256"], ["none"], ["es256"]].map((algorithms) => ({ algorithms })),
    ...[0, -1, "61m", "soon", null].map((maxAge) => ({ maxAge })),
    ...[-1, 301, 1.5, "5"].map((leeway) => ({ leeway })),
    ...[1, {}, { secret: "short" }, { secret: 7 }, null].map((nonces) => ({ nonces })),
    ...["", "api.example", "https://api.example/", [], ["x"]].map((origin) => ({ origin })),
  ],
  errorMessageKey: ["", 7],
  loaders: [7, { nope: () => 1 }, { userLookup: "x" }],
  store: [{}, 7, "redis"],
  onStoreError: ["ignore", true],
  storeTimeout: [0, -1, "soon"],
  grace: [-1, 61, "61s", "soon", "2m", true],
  verifyCache: [1, { entries: 0 }, { bytes: -1 }, { entries: 1.5 }],
  ambientContext: ["yes"],
  clock: [7, "now"],
  compat: ["django", true],
  warn: ["log"],
};

describe("options", () => {
  it("are each checked", () => {
    expect(Object.keys(WRONG).sort()).toEqual([...OPTION_NAMES].sort());
  });
  it.each(Object.entries(WRONG))("%s: a wrong value is a fault that says how to mend it", (name, values) => {
    for (const value of values) {
      const faults = faultsOf(() => managerOf({ [name]: value }));
      expect([value, faults]).toEqual([value, expect.stringContaining(name)]);
      // What is wrong, and how it should be: a sentence each.
      for (const fault of faults.split("\n")) expect(fault).toMatch(/^\S+.{15,}\.$/);
    }
  });
  it("may all be left undefined", () => {
    const none = Object.fromEntries(OPTION_NAMES.map((name) => [name, undefined]));
    expect(faultsOf(() => new JWTManager({ ...none, secretKey: SECRET }))).toBe("");
  });
  it("report all faults together, unknown names included", () => {
    const faults = faultsOf(
      () =>
        new JWTManager({
          secretKey: "short",
          leeway: -1,
          acessTokenExpires: 5,
          cookieSameSite: "lax",
          loaders: { x: 1 },
        } as never),
    ).split("\n");
    expect(faults.length).toBe(5);
    for (const name of ["secretKey", "leeway", "acessTokenExpires is no option", "cookieSameSite", "loaders"]) {
      expect(faults.some((fault) => fault.includes(name))).toBe(true);
    }
  });
  it("are told in one ConfigError", () => {
    try {
      new JWTManager({} as never);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect(isJwtError(error)).toBe(true);
      expect(error).toMatchObject({ code: "config_invalid", status: 500 });
      expect((error as ConfigError).message).toContain("secretKey is missing");
      expect(Object.isFrozen((error as ConfigError).faults)).toBe(true);
    }
    for (const options of [undefined, null]) expect(() => new JWTManager(options as never)).toThrow(ConfigError);
  });
  it("never quote a value, which may be a secret", () => {
    const marker = "marker-5f1c";
    for (const name of OPTION_NAMES) {
      for (const value of [marker, { [marker]: marker }, [marker, { marker }], `${marker}\n${marker}`]) {
        let text = "";
        try {
          managerOf({ secretKey: `${SECRET}`, [name]: value });
        } catch (error) {
          text = `${error}${JSON.stringify(error)}${(error as ConfigError).faults}`;
        }
        // The name of a loader that does not exist is quoted, as it is no value.
        if (name !== "loaders") expect([name, text.includes(marker)]).toEqual([name, false]);
      }
    }
  });
  it("are resolved and frozen", () => {
    const { config } = managerOf({ tokenLocation: "cookies", trustedOrigins: ["https://a.example"] });
    for (const part of [
      config,
      config.locations,
      config.csrf,
      config.csrf.trustedOrigins,
      config.lifetimes,
      config.names,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
  it("are not kept by reference", () => {
    const tokenLocation = ["headers"];
    const manager = managerOf({ tokenLocation });
    tokenLocation.push("query_string");
    expect(manager.config.locations).toEqual(["headers"]);
  });
  it("must make sense together", () => {
    expect(faultsOf(() => managerOf({ accessTokenExpires: "48h" }))).toContain("maxAccessLifetime");
    expect(faultsOf(() => managerOf({ refreshTokenExpires: false }))).toContain("maxRefreshLifetime");
    expect(faultsOf(() => managerOf({ accessTokenExpires: "20h", refreshTokenExpires: "1h" }))).toContain(
      "refreshTokenExpires",
    );
    expect(faultsOf(() => managerOf({ accessCookieName: "a", refreshCookieName: "a" }))).toContain("must differ");
    expect(faultsOf(() => managerOf({ cookieSameSite: "None", cookieSecure: false }))).toContain("cookieSecure: true");
    expect(faultsOf(() => managerOf({ accessTokenExpires: "48h", maxAccessLifetime: "72h" }))).toBe("");
    expect(faultsOf(() => managerOf({ accessTokenExpires: false, maxAccessLifetime: false }))).toContain(
      "refreshTokenExpires",
    );
    const endless = { accessTokenExpires: false, maxAccessLifetime: false, refreshTokenExpires: false };
    expect(faultsOf(() => managerOf({ ...endless, maxRefreshLifetime: false }))).toBe("");
  });
});

describe("loaders", () => {
  it("are all taken, and no others", () => {
    const all = Object.fromEntries(LOADER_NAMES.map((name) => [name, () => undefined]));
    expect(faultsOf(() => managerOf({ loaders: all, audience: false }))).toBe("");
    expect(faultsOf(() => managerOf({ loaders: { userLoader: () => 1 } }))).toContain('no loader called "userLoader"');
    expect(faultsOf(() => managerOf({ loaders: { userLookup: undefined } }))).toBe("");
  });
});

describe("guards", () => {
  it.each([
    [{ nope: true }, "nope"],
    [{ locations: [] }, "locations"],
    [{ locations: ["body"] }, "locations"],
    [{ optional: "yes" }, "optional"],
    [{ fresh: 0 }, "fresh"],
    [{ fresh: -5 }, "fresh"],
    [{ fresh: "soon" }, "fresh"],
    [{ fresh: true, refresh: true }, "fresh"],
    [{ roles: [] }, "roles"],
    [{ roles: "" }, "roles"],
    [{ scopes: { any: [] } }, "scopes"],
    [{ scopes: [7] }, "scopes"],
    [{ verify: true }, "verify"],
  ])("refuse %j where they are defined", (options, word) => {
    expect(faultsOf(() => managerOf({ store: memoryStore() }).guard(options as never))).toContain(word);
  });
  it.each([["login"], ["/a b"], ["/a*"], ["/a//b"], ["/../a"], ["/a;b"], ["get /a"], [""], ["/a%2fb"]])(
    "refuse the public path %j",
    (path) => {
      expect(faultsOf(() => managerOf().protect({ public: [path] }))).toContain("public");
    },
  );
});
