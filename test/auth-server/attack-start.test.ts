import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/auth-server/settings.ts";
import { readSigning } from "../../src/auth-server/signing.ts";
import { startRefused } from "./server.ts";

const SECRET = "Zq-a-secret-of-this-test-of-attacks-3k9";
const rsa = (modulusLength: number): string =>
  generateKeyPairSync("rsa", { modulusLength }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const SMALL = rsa(1024);
const LARGE = rsa(2048);

/** What a start with these variables would be refused for. */
async function faultsOf(env: Readonly<Record<string, string>>): Promise<string[]> {
  const faults: string[] = [];
  readSigning(env, await readSettings(env, faults), faults);
  return faults;
}

describe("a start", () => {
  it("has no fault with what is right", async () => {
    for (const env of [{ JWT_SECRET_KEY: SECRET }, { JWT_ALGORITHM: "RS256", JWT_PRIVATE_KEY: LARGE }])
      expect(await faultsOf(env as Record<string, string>)).toEqual([]);
  });

  it.each([
    ["a short secret", { JWT_SECRET_KEY: "marker-of-29-bytes-and-no-mor" }, /JWT_SECRET_KEY/],
    ["a PEM as a secret", { JWT_SECRET_KEY: LARGE }, /JWT_SECRET_KEY/],
    ["a short RSA key", { JWT_ALGORITHM: "RS256", JWT_PRIVATE_KEY: SMALL }, /JWT_PRIVATE_KEY|2048/],
    ["the algorithm none", { JWT_SECRET_KEY: SECRET, JWT_ALGORITHM: "none" }, /JWT_ALGORITHM/],
    ["an RSA key for HS256", { JWT_ALGORITHM: "HS256", JWT_PRIVATE_KEY: LARGE }, /JWT_/],
    ["an EC algorithm for an RSA key", { JWT_ALGORITHM: "ES256", JWT_PRIVATE_KEY: LARGE }, /JWT_/],
    ["HS and RS together", { JWT_SECRET_KEY: SECRET, JWT_DECODE_ALGORITHMS: "HS256,RS256" }, /JWT_DECODE_ALGORITHMS/],
    ["none among others", { JWT_SECRET_KEY: SECRET, JWT_DECODE_ALGORITHMS: "HS256,none" }, /JWT_DECODE_ALGORITHMS/],
    ["SameSite=None without Secure", { JWT_SECRET_KEY: SECRET, JWT_COOKIE_SAMESITE: "None" }, /JWT_COOKIE_SAMESITE/],
    [
      "cookies without Secure in production",
      { JWT_SECRET_KEY: SECRET, JWT_COOKIE_SECURE: "false", NODE_ENV: "production" },
      /JWT_COOKIE_SECURE/,
    ],
    [
      "cookies without Secure on an https origin",
      { JWT_SECRET_KEY: SECRET, JWT_COOKIE_SECURE: "0", PUBLIC_ORIGIN: "https://good.example" },
      /JWT_COOKIE_SECURE/,
    ],
    [
      "a __Host- name with a domain",
      {
        JWT_SECRET_KEY: SECRET,
        JWT_ACCESS_COOKIE_NAME: "__Host-a",
        JWT_COOKIE_DOMAIN: "good.example",
        PUBLIC_ORIGIN: "https://good.example",
      },
      /JWT_/,
    ],
    ["a name that is no option", { JWT_SECRET_KEY: SECRET, JWT_SECRET: SECRET }, /JWT_SECRET\b/],
    ...["-5", "NaN", "15 minuts", "1e999", "0"].map(
      (life) =>
        [
          `the life ${life}`,
          { JWT_SECRET_KEY: SECRET, JWT_ACCESS_TOKEN_EXPIRES: life },
          /JWT_ACCESS_TOKEN_EXPIRES/,
        ] as const,
    ),
    [
      "an access token that outlives the refresh token",
      { JWT_SECRET_KEY: SECRET, JWT_ACCESS_TOKEN_EXPIRES: "2d", JWT_REFRESH_TOKEN_EXPIRES: "1d" },
      /JWT_(ACCESS|REFRESH)_TOKEN_EXPIRES/,
    ],
    ...["a;b", "a=b", "a b", 'a"b', "a\rb", "a\nb", "\u00e9", "a\0b"].map(
      (name) =>
        [
          `a cookie called ${JSON.stringify(name)}`,
          { JWT_SECRET_KEY: SECRET, JWT_ACCESS_COOKIE_NAME: name },
          /JWT_ACCESS_COOKIE_NAME/,
        ] as const,
    ),
    ["a path that ends a cookie", { JWT_SECRET_KEY: SECRET, JWT_ACCESS_COOKIE_PATH: "/; HttpOnly" }, /COOKIE_PATH/],
    ["a domain that ends a cookie", { JWT_SECRET_KEY: SECRET, JWT_COOKIE_DOMAIN: "x; Secure" }, /JWT_COOKIE_DOMAIN/],
  ] as const)("is refused with %s", async (_name, env, says) => {
    const faults = await faultsOf(env as Record<string, string>);
    expect(faults.join("\n")).toMatch(says);
    for (const fault of faults) expect(fault).not.toMatch(/marker|Zq-a|PRIVATE KEY|xxxxxxxx|[\r\n\0]/);
  });

  it("tells all of them at once, in the running server, too", async () => {
    const env = { JWT_SECRET_KEY: SMALL, JWT_ACCESS_COOKIE_NAME: "a;b", JWT_COOKIE_SAMESITE: "None", JWT_NONE: "x" };
    const { code, output } = await startRefused({ env });
    expect(code).toBe(1);
    for (const name of Object.keys(env)) expect(output).toContain(name);
    expect(output).not.toMatch(/PRIVATE KEY|\n\s+at |Listening/);
  });
});
