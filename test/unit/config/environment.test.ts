import { JWTManager, memoryStore } from "jwt-extended";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { faultsOf } from "../../support/asking.ts";
import { claimsOf } from "../../support/forge.ts";
import { managerOf, SECRET } from "../../support/serve.ts";

const store = { ...memoryStore() };

describe("production", () => {
  beforeEach(() => {
    for (const name of ["NODE_ENV", "NODE_UNIQUE_ID", "WEB_CONCURRENCY", "instances"]) vi.stubEnv(name, undefined);
  });
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ["NODE_ENV", "production"],
    ["NODE_UNIQUE_ID", "1"],
    ["WEB_CONCURRENCY", "4"],
    ["instances", "2"],
    ["instances", "max"],
    ["instances", "0"],
  ])("refuses a memory store where %s is %s, and offers the three ways out", (name, value) => {
    expect(faultsOf(() => managerOf())).toBe("");
    vi.stubEnv(name, value);
    for (const options of [{}, { store: memoryStore() }]) {
      const faults = faultsOf(() => managerOf(options));
      for (const word of ["shared store", "store: null", "memoryStore({ singleProcess: true })"]) {
        expect(faults).toContain(word);
      }
    }
    for (const options of [{ store: null }, { store }, { store: memoryStore({ singleProcess: true }) }]) {
      expect(faultsOf(() => managerOf(options))).toBe("");
    }
  });
  it("takes one process for one process", () => {
    vi.stubEnv("WEB_CONCURRENCY", "1");
    vi.stubEnv("instances", "1");
    vi.stubEnv("NODE_ENV", "development");
    expect(faultsOf(() => managerOf())).toBe("");
  });
  it("refuses login cookies in clear text", () => {
    const options = { store: null, tokenLocation: ["cookies"], cookieSecure: false };
    expect(faultsOf(() => managerOf(options))).toBe("");
    vi.stubEnv("NODE_ENV", "production");
    expect(faultsOf(() => managerOf(options))).toContain("cookieSecure");
    expect(faultsOf(() => managerOf({ ...options, compat: "flask" }))).toBe("");
  });
  it("prints one line that says what compat weakens, and never a secret", () => {
    const lines: string[] = [];
    managerOf({ compat: "flask", tokenLocation: ["cookies"], warn: (line: string) => lines.push(line) });
    expect(lines.length).toBe(1);
    for (const word of ['compat "flask"', "without exp", "Secure", "SameSite"]) expect(lines[0]).toContain(word);
    expect(lines[0]).not.toContain(SECRET);
    const quiet: string[] = [];
    managerOf({ warn: (line: string) => quiet.push(line) });
    expect(quiet).toEqual([]);
  });
  it("warns on the console where nothing else is given", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    new JWTManager({ secretKey: SECRET, compat: "flask" });
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });
});

describe("the audience", () => {
  const decodeKey = () => SECRET;
  const keySet = { keys: [] };

  it("must be decided where others mint", () => {
    for (const options of [
      { loaders: { decodeKey } },
      { publicKey: keySet, secretKey: undefined, algorithm: "RS256" },
    ]) {
      expect(faultsOf(() => managerOf(options))).toContain("audience must be decided");
      for (const decided of [{ audience: "a" }, { audience: false }, { decodeAudience: ["a", "b"] }]) {
        expect(faultsOf(() => managerOf({ ...options, ...decided }))).not.toContain("audience must be decided");
      }
    }
    expect(faultsOf(() => managerOf())).toBe("");
  });
  it("goes both ways unless one is named", async () => {
    const aud = async (options: Record<string, unknown>) =>
      claimsOf(await managerOf(options).createAccessToken("ada")).aud;
    expect(await aud({ audience: "a" })).toBe("a");
    expect(await aud({ audience: ["a", "b"] })).toEqual(["a", "b"]);
    expect(await aud({ audience: "a", encodeAudience: "b" })).toBe("b");
    expect(await aud({ audience: false })).toBeUndefined();
    expect(await aud({ decodeAudience: "a" })).toBeUndefined();
  });
});
