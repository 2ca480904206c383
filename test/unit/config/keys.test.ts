import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { askToken, faultsOf } from "../../support/asking.ts";
import { managerOf, SECRET } from "../../support/serve.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: { export(options: object): string | Buffer }, type: "spki" | "pkcs8"): string =>
  String(key.export({ type, format: "pem" }));
const PRIVATE = pem(rsa.privateKey, "pkcs8");
const PUBLIC = pem(rsa.publicKey, "spki");

const NONE = { secretKey: undefined };

describe("keys", () => {
  it("sign and verify as the algorithm says", async () => {
    const pairs: object[] = [
      { algorithm: "RS256", privateKey: PRIVATE, publicKey: PUBLIC },
      { algorithm: "PS256", privateKey: PRIVATE },
      { algorithm: "ES256", privateKey: pem(ec.privateKey, "pkcs8") },
      { algorithm: "ES256", privateKey: ec.privateKey.export({ format: "jwk" }) },
      { algorithm: "HS256", secretKey: new TextEncoder().encode(SECRET) },
    ];
    for (const options of pairs) {
      const manager = managerOf({ ...NONE, ...options });
      expect((await askToken(manager, await manager.createAccessToken("ada"))).id).toBe("ada");
    }
  });
  it("of others verify, and make nothing", async () => {
    const issuer = managerOf({ ...NONE, algorithm: "RS256", privateKey: PRIVATE, audience: "a" });
    const token = await issuer.createAccessToken("ada");
    const jwk = { ...rsa.publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256" };
    for (const publicKey of [PUBLIC, jwk, { keys: [jwk] }]) {
      const manager = managerOf({ ...NONE, algorithm: "RS256", publicKey, audience: "a" });
      expect((await askToken(manager, token)).id).toBe("ada");
      expect(manager.config.store).toBeNull();
      await expect(manager.createAccessToken("ada")).rejects.toMatchObject({ code: "key_unusable" });
      await expect(manager.revokeToken(token)).rejects.toMatchObject({ code: "store_required" });
    }
  });
  it.each([
    [{ ...NONE }, "secretKey is missing"],
    [{ ...NONE, algorithm: "RS256" }, "privateKey is missing"],
    [{ ...NONE, privateKey: PRIVATE }, "algorithm must be named"],
    [{ secretKey: "secret" }, "fewer than 32 bytes"],
    [{ secretKey: PUBLIC }, "random secret"],
    [{ secretKey: ` \n${PRIVATE}` }, "random secret"],
    [{ ...NONE, algorithm: "RS256", privateKey: pem(small.privateKey, "pkcs8") }, "2048"],
    [{ ...NONE, algorithm: "RS256", privateKey: pem(ec.privateKey, "pkcs8") }, "RS256"],
    [{ ...NONE, algorithm: "ES384", privateKey: pem(ec.privateKey, "pkcs8") }, "ES384"],
    [{ ...NONE, algorithm: "RS256", privateKey: "no key at all" }, "privateKey"],
    [{ decodeAlgorithms: ["HS256", "RS256"] }, "no publicKey"],
    [
      { ...NONE, algorithm: "RS256", publicKey: PUBLIC, decodeAlgorithms: ["RS256", "HS256"], audience: "a" },
      "no secretKey",
    ],
    [{ ...NONE, algorithm: "RS256", publicKey: { keys: "x" }, audience: "a" }, "key set is malformed"],
  ])("that cannot work are faults, case %#", (options, words) => {
    const faults = faultsOf(() => managerOf(options));
    expect(faults).toContain(words);
    expect(faults).not.toMatch(/BEGIN|MII/);
  });
  it("chosen by loaders are judged like others, and never shown", async () => {
    let key: unknown = SECRET;
    const loaders = { encodeKey: () => key as string, decodeKey: () => key as string };
    const manager = managerOf({ loaders, audience: false });
    const token = await manager.createAccessToken("ada");
    expect((await askToken(manager, token)).id).toBe("ada");
    for (const bad of ["short-marker", "", undefined, 7, PUBLIC]) {
      key = bad;
      expect((await askToken(manager, token)).code).toBe("token_invalid");
      const error = await manager.createAccessToken("ada").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "key_unusable" });
      expect(String(error)).not.toContain("short-marker");
    }
  });
});
