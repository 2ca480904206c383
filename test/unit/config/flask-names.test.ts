import { fromEnv, fromFlaskConfig, JWTManager } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { OPTION_NAMES } from "../../../src/config/checks.ts";
import { FLASK_DEFAULTS } from "../../../src/config/defaults.ts";
import { FLASK_NAMES } from "../../../src/config/flask-names.ts";
import { faultsOf } from "../../support/asking.ts";
import { SECRET } from "../../support/serve.ts";

const make = (options: object) => new JWTManager({ warn: () => {}, ...options } as never);

describe("FLASK_NAMES", () => {
  it("has the 43 options of the original, each an option here", () => {
    expect(Object.keys(FLASK_NAMES).length).toBe(43);
    expect(new Set(Object.values(FLASK_NAMES)).size).toBe(43);
    for (const name of Object.values(FLASK_NAMES)) expect(OPTION_NAMES).toContain(name);
  });
});

describe("fromFlaskConfig", () => {
  it("translates names and switches the behaviour of the original on", () => {
    const options = fromFlaskConfig({
      JWT_SECRET_KEY: "s",
      JWT_TOKEN_LOCATION: ["cookies"],
      JWT_DECODE_LEEWAY: 3,
      OTHER: 1,
    });
    expect(options).toEqual({ compat: "flask", secretKey: "s", tokenLocation: ["cookies"], leeway: 3 });
  });
  it("falls back to SECRET_KEY, and takes None for not set", () => {
    expect(fromFlaskConfig({ SECRET_KEY: "x" }).secretKey).toBe("x");
    expect(fromFlaskConfig({ SECRET_KEY: "x", JWT_SECRET_KEY: null }).secretKey).toBe("x");
    expect(fromFlaskConfig({ SECRET_KEY: "x", JWT_SECRET_KEY: "y" }).secretKey).toBe("y");
    expect(fromFlaskConfig({ JWT_COOKIE_SAMESITE: null, JWT_DECODE_AUDIENCE: null })).toEqual({ compat: "flask" });
  });
  it("takes no name from a prototype", () => {
    const config = Object.create({ JWT_SECRET_KEY: "inherited" }) as Record<string, unknown>;
    expect(fromFlaskConfig(config)).toEqual({ compat: "flask" });
  });
  it("takes every default of the original", () => {
    const config = Object.entries(FLASK_NAMES).flatMap(([flask, ours]) => {
      const value = (FLASK_DEFAULTS as Record<string, unknown>)[ours];
      return value === undefined ? [] : [[flask, value]];
    });
    const options = fromFlaskConfig({ ...Object.fromEntries(config), SECRET_KEY: "weak" });
    expect(faultsOf(() => make(options))).toBe("");
  });
});

describe("fromEnv", () => {
  it("reads text as what the option needs, and keeps our defaults", () => {
    const options = fromEnv({
      PATH: "/bin",
      JWT_SECRET_KEY: SECRET,
      JWT_TOKEN_LOCATION: "headers, cookies",
      JWT_ACCESS_TOKEN_EXPIRES: "15m",
      JWT_REFRESH_TOKEN_EXPIRES: "3600",
      JWT_COOKIE_SECURE: "False",
      JWT_CSRF_METHODS: "POST,PUT",
      JWT_DECODE_LEEWAY: "10",
      JWT_DECODE_AUDIENCE: "a,b",
      JWT_HEADER_TYPE: "",
      JWT_QUERY_STRING_NAME: "",
      JWT_COOKIE_SAMESITE: "Strict",
    });
    expect(options).toEqual({
      secretKey: SECRET,
      tokenLocation: ["headers", "cookies"],
      accessTokenExpires: "15m",
      refreshTokenExpires: 3600,
      cookieSecure: false,
      csrfMethods: ["POST", "PUT"],
      leeway: 10,
      decodeAudience: ["a", "b"],
      headerType: "",
      cookieSameSite: "Strict",
    });
    expect(options).not.toHaveProperty("compat");
    expect(faultsOf(() => make(options))).toBe("");
  });
  it("makes lines of the \\n in a PEM", () => {
    expect(fromEnv({ JWT_PUBLIC_KEY: "a\\nb" }).publicKey).toBe("a\nb");
  });
  it.each([
    ["JWT_COOKIE_SECURE", "perhaps", "cookieSecure"],
    ["JWT_ACCESS_TOKEN_EXPIRES", "15 minuts", "accessTokenExpires"],
    ["JWT_ACCESS_TOKEN_EXPIRES", "0", "accessTokenExpires"],
    ["JWT_DECODE_LEEWAY", "-1", "leeway"],
    ["JWT_ALGORITHM", "none", "algorithm"],
    ["JWT_SECRET", "marker-secret", "JWT_SECRET"],
    ["JWT_TOKEN_LOCATION", "header", "tokenLocation"],
  ])("leaves %s=%s to the constructor, which names it", (name, value, word) => {
    const faults = faultsOf(() => make({ secretKey: SECRET, ...fromEnv({ [name]: value }) }));
    expect(faults).toContain(word);
    expect(faults).not.toContain("marker-secret");
  });
  it("reads false as never or not at all", () => {
    expect(fromEnv({ JWT_ACCESS_TOKEN_EXPIRES: "false" }).accessTokenExpires).toBe(false);
    expect(fromEnv({ JWT_DECODE_AUDIENCE: "false" }).decodeAudience).toBe(false);
  });
});
