import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { memoryStore } from "jwt-extended";
import { afterEach, describe, expect, it, vi } from "vitest";
import { faultsOf } from "../../support/asking.ts";
import { ORIGIN } from "../../support/dpop.ts";
import { managerOf } from "../../support/serve.ts";

const faults = (dpop: unknown, options: object = {}): string =>
  faultsOf(() => managerOf({ publicOrigin: ORIGIN, dpop, ...options }));
const publicKey = generateKeyPairSync("ed25519").publicKey;
const verifier = { secretKey: undefined, publicKey, algorithm: "EdDSA", audience: false };

afterEach(() => vi.unstubAllEnvs());

describe("the option dpop", () => {
  it("is off unless it is given", () => {
    for (const dpop of [undefined, false]) expect(managerOf({ dpop }).config.dpop).toBeUndefined();
  });

  it("is complete and frozen", () => {
    const { dpop } = managerOf({ publicOrigin: ORIGIN, dpop: true }).config;
    expect(dpop).toEqual({
      required: false,
      algorithms: ["ES256", "EdDSA"],
      maxAge: 60,
      leeway: 30,
      nonces: undefined,
      origins: [ORIGIN],
    });
    expect([Object.isFrozen(dpop), Object.isFrozen(dpop?.algorithms), Object.isFrozen(dpop?.origins)]).toEqual([
      true,
      true,
      true,
    ]);
    const origin = ["https://a.example", "http://127.0.0.1:3000"];
    const secret = "a secret for nonces, at least 32 bytes";
    const given = { required: true, algorithms: ["RS256"], maxAge: "5m", leeway: 0, nonces: { secret }, origin };
    const nonces = expect.any(Function);
    const wanted = { required: true, algorithms: ["RS256"], maxAge: 300, leeway: 0, nonces, origins: origin };
    const { config } = managerOf({ publicOrigin: ORIGIN, dpop: given });
    expect(config.dpop).toEqual(wanted);
    expect(inspect(config, { depth: 9, showHidden: true })).not.toContain(secret);
  });

  it("says at start what it needs", () => {
    expect(faults(true)).toBe("");
    expect(faults(true, { publicOrigin: undefined })).toContain("publicOrigin");
    expect(faults({ origin: ORIGIN }, { publicOrigin: undefined })).toBe("");
    expect(faults(true, { store: null })).toContain("store");
    expect(faults(true, { store: { ...memoryStore(), spend: undefined } })).toContain("store");
    expect(faults({ nonces: true }, { store: { ...memoryStore(), secret: undefined } })).toContain("nonces");
    expect(faults(true, { compat: "flask" })).toContain("compat");
    expect(faults(true, { tokenLocation: ["cookies"] })).toContain("headers");
    for (const headerType of ["", "DPoP", "dpop"]) expect(faults(true, { headerType })).toContain("headerType");
    expect(faults(true, verifier)).toContain("store");
    expect(faults(true, { ...verifier, store: memoryStore() })).toBe("");
  });

  it("needs a store that all processes share, also where tokens are only read", () => {
    vi.stubEnv("NODE_ENV", "production");
    expect(faults(true, { ...verifier, store: memoryStore() })).toContain("store");
    expect(faults(true, { ...verifier, store: memoryStore({ singleProcess: true }) })).toBe("");
    expect(faults(false, { ...verifier, store: memoryStore() })).toBe("");
  });
});
