import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clockFinding } from "../../src/cli/doctor/finding.ts";
import { command, temporaryFolder } from "./command.ts";

const SECRET = "qX7vJt0e9sKzR2mYhL4dWbN8uFcAaPgT-marker-5oIi";
const GOOD = { JWT_SECRET_KEY: SECRET, PUBLIC_ORIGIN: "https://auth.example.com" };

interface Finding {
  readonly area: string;
  readonly check: string;
  readonly level: string;
  readonly says: string;
  readonly mend?: string;
}

async function examine(env: Readonly<Record<string, string>>, cwd?: string) {
  const { code, json, out } = await command(["doctor", "--json"], { env, cwd });
  expect(out).not.toContain("marker");
  const { ok, faults, warnings, findings } = json() as unknown as {
    ok: boolean;
    faults: number;
    warnings: number;
    findings: Finding[];
  };
  expect([code, faults > 0]).toEqual([ok ? 0 : 1, !ok]);
  return {
    code,
    faults,
    warnings,
    bad: findings.filter(({ level }) => level === "fault" || level === "warning"),
    findings,
  };
}

describe("the doctor finds nothing wrong", () => {
  it("in a good configuration", async () => {
    const { code, bad, findings } = await examine(GOOD);
    expect([code, bad]).toEqual([0, []]);
    expect(findings.map(({ check, level }) => `${level} ${check}`)).toEqual([
      "ok secret",
      "ok options",
      "ok cookies",
      "skipped store",
    ]);
    const { out } = await command(["doctor"], { env: GOOD });
    expect(out).toMatch(/^configuration\n {2}ok {7}secret: [\s\S]*\n0 faults, 0 warnings\n$/);
  });

  it("in one for development on this machine", async () => {
    const { bad } = await examine({ ...GOOD, PUBLIC_ORIGIN: "http://localhost:5000", JWT_COOKIE_SECURE: "false" });
    expect(bad).toEqual([]);
  });

  it("in one with a key pair", async () => {
    const { cwd } = await command(["keys", "generate"]);
    const { bad } = await examine({ JWT_ALGORITHM: "ES256", JWT_PRIVATE_KEY_FILE: "jwt-private.pem" }, cwd);
    expect(bad).toEqual([]);
  });
});

describe("the doctor names", () => {
  const rows: readonly (readonly [string, Readonly<Record<string, string>>, Partial<Finding>, RegExp])[] = [
    ["a missing secret", {}, { check: "options", level: "fault" }, /JWT_SECRET_KEY is missing: set it to at least 32/],
    [
      "a short secret",
      { JWT_SECRET_KEY: SECRET.slice(0, 20) },
      { check: "options" },
      /JWT_SECRET_KEY: .*fewer than 32 bytes/,
    ],
    [
      "a typed secret",
      { JWT_SECRET_KEY: "please-change-me-before-you-go-to-production" },
      { check: "secret" },
      /guessed/,
    ],
    ["a filled-up one", { JWT_SECRET_KEY: `bcdefghijk${"a".repeat(40)}` }, { check: "secret" }, /guessed/],
    [
      "a monotonous one",
      { JWT_SECRET_KEY: "abababababcdcdcdcdcdababababcdcdcdcdabababab" },
      { check: "secret" },
      /guessed/,
    ],
    ["an unknown variable", { ...GOOD, JWT_SECRET_KEI: "x" }, { check: "options" }, /JWT_SECRET_KEI is no option/],
    ["a wrong value", { ...GOOD, JWT_HEADER_NAME: "two words" }, { check: "options" }, /JWT_HEADER_NAME must be/],
    ["both kinds of a secret", { ...GOOD, JWT_SECRET_KEY_FILE: "x" }, { check: "files" }, /both set/],
    ["a missing file", { JWT_SECRET_KEY_FILE: "nowhere" }, { check: "files" }, /ENOENT/],
    [
      "a public key as a secret",
      { JWT_SECRET_KEY: `-----BEGIN PUBLIC KEY-----\n${SECRET}` },
      { check: "options" },
      /PEM text/,
    ],
    ["long access tokens", { ...GOOD, JWT_ACCESS_TOKEN_EXPIRES: "12h" }, { level: "warning" }, /longer than an hour/],
    ["tokens in addresses", { ...GOOD, JWT_TOKEN_LOCATION: "headers,query_string" }, { level: "warning" }, /logs/],
    [
      "cookies without CSRF",
      { ...GOOD, JWT_COOKIE_CSRF_PROTECT: "false" },
      { check: "csrf", level: "fault" },
      /without any proof/,
    ],
    [
      "methods without CSRF",
      { ...GOOD, JWT_CSRF_METHODS: "POST,PUT" },
      { check: "csrf" },
      /PATCH, DELETE need no CSRF/,
    ],
    [
      "an origin that is none",
      { ...GOOD, PUBLIC_ORIGIN: "https://auth.example.com/login" },
      { check: "origin" },
      /no origin/,
    ],
    [
      "an origin in clear text",
      { ...GOOD, PUBLIC_ORIGIN: "http://auth.example.com" },
      { check: "origin" },
      /plain http/,
    ],
    [
      "Secure over http",
      { ...GOOD, PUBLIC_ORIGIN: "http://auth.example.com" },
      { level: "fault" },
      /plain http: browsers drop it/,
    ],
    [
      "cookies in clear text",
      { ...GOOD, JWT_COOKIE_SECURE: "false" },
      { check: "cookie access_token", level: "fault" },
      /lacks Secure/,
    ],
    ["SameSite=None", { ...GOOD, JWT_COOKIE_SAMESITE: "None" }, { level: "warning" }, /every site carry it/],
    [
      "a foreign domain",
      { ...GOOD, JWT_COOKIE_DOMAIN: "example.org" },
      { level: "fault" },
      /none of auth\.example\.com/,
    ],
    [
      "a wide domain",
      { ...GOOD, JWT_COOKIE_DOMAIN: "example.com" },
      { level: "warning" },
      /every host below example\.com/,
    ],
    [
      "a domain of one word",
      { ...GOOD, PUBLIC_ORIGIN: "https://app.local", JWT_COOKIE_DOMAIN: "local" },
      { level: "fault" },
      /no domain that browsers take/,
    ],
    [
      "a database that is not there",
      { ...GOOD, DATABASE_FILE: "nowhere.db" },
      { area: "store", level: "fault" },
      /migrate/,
    ],
    [
      "a database of another kind",
      { ...GOOD, DATABASE_URL: "mongodb://marker@127.0.0.1/x" },
      { area: "store" },
      /mysql:\/\//,
    ],
    ["a Redis that is none", { ...GOOD, REDIS_URL: "http://127.0.0.1" }, { area: "store" }, /redis:\/\//],
  ];

  it.each(rows)("%s", async (_name, env, expected, says) => {
    const { bad } = await examine(env);
    expect(bad).toContainEqual(expect.objectContaining({ ...expected, says: expect.stringMatching(says) }));
    // Each comes with what mends it, in a line of its own or in the sentence.
    for (const { mend, says: sentence } of bad) expect((mend ?? sentence).length).toBeGreaterThan(10);
  });

  it("a file that others can read", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "secret"), SECRET, { mode: 0o600 });
    const env = { JWT_SECRET_KEY_FILE: "secret" };
    expect((await examine(env, cwd)).bad).toEqual([]);
    chmodSync(join(cwd, "secret"), 0o644);
    const { code, bad } = await examine(env, cwd);
    expect([code, bad]).toMatchObject([
      0,
      [{ check: "files", level: "warning", says: expect.stringMatching(/JWT_SECRET_KEY_FILE/) }],
    ]);
  });
});

describe("a clock", () => {
  it.each([
    [0, "ok"],
    [5, "ok"],
    [-5.4, "ok"],
    [5.6, "fault"],
    [-6, "fault"],
    [3600, "fault"],
  ])("%s s ahead is %s", (ahead, level) => {
    expect(clockFinding("the store", ahead, 0.5).level).toBe(level);
  });
});
