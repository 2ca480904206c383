import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ALGORITHMS, type Algorithm, isAlgorithm, isSymmetric } from "../../../src/crypto/algorithms.ts";
import {
  fixedKeys,
  importKeySet,
  importSigningKey,
  importVerifyKey,
  type KeyMaterial,
} from "../../../src/crypto/keys.ts";
import { isSmallOrderPoint } from "../../../src/crypto/small-order.ts";
import { UsageError } from "../../../src/errors.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const p521 = generateKeyPairSync("ec", { namedCurve: "P-521" });
const ed = generateKeyPairSync("ed25519");
const pairs: Partial<Record<Algorithm, { publicKey: KeyObject; privateKey: KeyObject }>> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: p256,
  ES384: p384,
  ES512: p521,
  EdDSA: ed,
  Ed25519: ed,
};
const jwk = (key: KeyObject): Record<string, unknown> & { kty: string } => key.export({ format: "jwk" }) as never;
const refused = (material: unknown, algorithm: Algorithm, use: "sign" | "verify" = "verify"): string => {
  try {
    (use === "sign" ? importSigningKey : importVerifyKey)(material as KeyMaterial, algorithm);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).code).toBe("key_unusable");
    return (error as UsageError).message;
  }
  throw new Error("the key was taken");
};

test("names of algorithms are exact own names", () => {
  for (const name of Object.keys(ALGORITHMS)) expect(isAlgorithm(name)).toBe(true);
  for (const name of ["none", "hs256", "HS256 ", "toString", "__proto__", "constructor", "", null, 1, ["HS256"]]) {
    expect(isAlgorithm(name)).toBe(false);
  }
  expect(isSymmetric("HS512")).toBe(true);
  expect(isSymmetric("EdDSA")).toBe(false);
});

describe.each(Object.entries(pairs))("%s", (name, pair) => {
  const algorithm = name as Algorithm;
  const { publicKey, privateKey } = pair;
  const publicForms: [string, KeyMaterial][] = [
    ["KeyObject", publicKey],
    ["SPKI PEM", publicKey.export({ type: "spki", format: "pem" })],
    ["SPKI DER", publicKey.export({ type: "spki", format: "der" })],
    ["JWK", jwk(publicKey)],
    ["private KeyObject", privateKey],
    ["private PEM", privateKey.export({ type: "pkcs8", format: "pem" })],
    ["private JWK", jwk(privateKey)],
    ["PEM bytes", Buffer.from(publicKey.export({ type: "spki", format: "pem" }))],
  ];
  const privateForms: [string, KeyMaterial][] = [
    ["KeyObject", privateKey],
    ["PKCS#8 PEM", privateKey.export({ type: "pkcs8", format: "pem" })],
    ["PKCS#8 DER", privateKey.export({ type: "pkcs8", format: "der" })],
    ["JWK", jwk(privateKey)],
  ];
  if (publicKey === rsa.publicKey) {
    publicForms.push(["PKCS#1 PEM", publicKey.export({ type: "pkcs1", format: "pem" })]);
    publicForms.push(["PKCS#1 DER", publicKey.export({ type: "pkcs1", format: "der" })]);
    privateForms.push(["PKCS#1 PEM", privateKey.export({ type: "pkcs1", format: "pem" })]);
  }
  if (ALGORITHMS[algorithm].family === "ec")
    privateForms.push(["SEC1 PEM", privateKey.export({ type: "sec1", format: "pem" })]);

  test("takes every form of its keys", async () => {
    for (const [form, privateMaterial] of privateForms) {
      const signature = await importSigningKey(privateMaterial, algorithm).sign("a.b");
      for (const [otherForm, publicMaterial] of publicForms) {
        const key = importVerifyKey(publicMaterial, algorithm);
        expect(key.verify(`a.b.${signature}`, 3), `${form} and ${otherForm}`).toBe(true);
        expect(key.verify(`a.c.${signature}`, 3)).toBe(false);
        expect(key.verify("a.b.", 3)).toBe(false);
        expect(key.verify(`a.b.${signature}A`, 3)).toBe(false);
        expect(key.verify(`a.b.${signature}==`, 3)).toBe(false);
      }
    }
  });

  test("takes no key of another kind", () => {
    for (const [other, { publicKey: key }] of Object.entries(pairs)) {
      if (key !== publicKey) expect(refused(key, algorithm), other).toMatch(/fit|PEM|key/);
    }
    expect(refused(createSecretKey(randomBytes(64)), algorithm)).toMatch(/secret/i);
    expect(refused("x".repeat(64), algorithm)).toMatch(/PEM/);
    expect(refused({ kty: "oct", k: randomBytes(64).toString("base64url") }, algorithm)).toMatch(/kty/);
    expect(refused(publicKey, algorithm, "sign")).toMatch(/private/);
    expect(refused(jwk(publicKey), algorithm, "sign")).toMatch(/private/);
  });

  test("respects what a JWK is meant for", () => {
    const key = jwk(publicKey);
    expect(importVerifyKey({ ...key, use: "sig", alg: algorithm, key_ops: ["verify"], kid: "k" }, algorithm).kid).toBe(
      "k",
    );
    expect(importVerifyKey({ ...jwk(privateKey), key_ops: ["sign"] }, algorithm).algorithm).toBe(algorithm);
    for (const odd of [
      { use: "enc" },
      { use: null },
      { key_ops: ["sign"] },
      { key_ops: "verify" },
      { key_ops: [] },
      { alg: "none" },
      { kid: 1 },
    ]) {
      expect(refused({ ...key, ...odd }, algorithm), JSON.stringify(odd)).not.toBe("");
    }
  });

  test("takes no JWK with damaged members", () => {
    const key = jwk(publicKey);
    for (const name of ["n", "e", "x", "y"].filter((member) => member in key)) {
      const value = key[name] as string;
      const zeroFirst = Buffer.concat([Buffer.alloc(1), Buffer.from(value, "base64url")]).toString("base64url");
      for (const odd of [undefined, null, 1, "", `${value}=`, `+${value.slice(1)}`, ` ${value}`, zeroFirst]) {
        refused({ ...key, [name]: odd }, algorithm);
      }
    }
    const polluted = Object.create(key) as object;
    refused(polluted, algorithm);
  });
});

test("a JWK whose halves do not belong together cannot sign", () => {
  const other = generateKeyPairSync("ed25519");
  refused({ ...jwk(ed.privateKey), x: jwk(other.publicKey).x }, "EdDSA", "sign");
  const otherEc = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const mixed = { ...jwk(p256.privateKey), x: jwk(otherEc.publicKey).x, y: jwk(otherEc.publicKey).y };
  refused(mixed, "ES256", "sign");
});

describe("RSA keys", () => {
  test("must have 2048 bits, unless weak ones are allowed", () => {
    const small = generateKeyPairSync("rsa", { modulusLength: 1024 });
    expect(refused(small.publicKey, "RS256")).toMatch(/2048/);
    expect(refused(small.privateKey, "PS256", "sign")).toMatch(/2048/);
    expect(importVerifyKey(small.publicKey, "RS256", { allowWeak: true }).algorithm).toBe("RS256");
  });

  test("must have an odd exponent of 3 or more", () => {
    const key = jwk(rsa.publicKey);
    for (const e of [[1], [2], [4], [1, 0, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]]) {
      refused({ ...key, e: Buffer.from(e).toString("base64url") }, "RS256");
    }
    const three = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 });
    expect(importVerifyKey(three.publicKey, "RS256").algorithm).toBe("RS256");
  });

  // The types of Node know fewer options here than Node does.
  const PSS = { modulusLength: 2048, hashAlgorithm: "sha256", mgf1HashAlgorithm: "sha256", saltLength: 32 } as never;

  test("bound to PSS fit PSS alone", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa-pss", PSS);
    const signature = await importSigningKey(privateKey, "PS256").sign("a.b");
    expect(importVerifyKey(publicKey, "PS256").verify(`a.b.${signature}`, 3)).toBe(true);
    refused(publicKey, "RS256");
    refused(publicKey, "PS384");
  });
});

test("knows points of small order", () => {
  expect(isSmallOrderPoint(Buffer.alloc(32))).toBe(true);
  expect(isSmallOrderPoint(Buffer.from(jwk(ed.publicKey).x as string, "base64url"))).toBe(false);
});

describe("HMAC secrets", () => {
  const LEAST = { HS256: 32, HS384: 48, HS512: 64 } as const;

  test.each(Object.entries(LEAST))("for %s have at least %i bytes", (name, least) => {
    const algorithm = name as keyof typeof LEAST;
    expect(importVerifyKey(randomBytes(least), algorithm).algorithm).toBe(algorithm);
    for (const length of [1, least - 1]) {
      expect(refused(randomBytes(length), algorithm)).toMatch(/bytes/);
      expect(importVerifyKey(randomBytes(length), algorithm, { allowWeak: true }).algorithm).toBe(algorithm);
    }
  });

  test("are the same in every form", async () => {
    const text = randomBytes(40).toString("hex");
    const bytes = Buffer.from(text);
    const forms: KeyMaterial[] = [text, bytes, createSecretKey(bytes), { kty: "oct", k: bytes.toString("base64url") }];
    const signatures = forms.map((form) => importSigningKey(form, "HS256").sign("a.b"));
    expect(new Set(signatures).size).toBe(1);
    for (const form of forms) expect(importVerifyKey(form, "HS256").verify(`a.b.${signatures[0]}`, 3)).toBe(true);
  });

  test("are copied: changing the bytes afterwards changes nothing", () => {
    const bytes = randomBytes(32);
    const key = importVerifyKey(bytes, "HS256");
    const signature = importSigningKey(bytes, "HS256").sign("a.b") as string;
    bytes.fill(0);
    expect(key.verify(`a.b.${signature}`, 3)).toBe(true);
  });

  test("of odd kinds are refused", () => {
    const text = { toString: () => "x".repeat(64) };
    for (const odd of [
      undefined,
      null,
      "",
      Buffer.alloc(0),
      {},
      [],
      1,
      true,
      () => "x",
      text,
      { kty: "oct" },
      { kty: "oct", k: "" },
    ]) {
      refused(odd, "HS256");
      refused(odd, "HS256", "sign");
      expect(() => importVerifyKey(odd as never, "HS256", { allowWeak: true })).toThrow(UsageError);
    }
  });

  const spki = rsa.publicKey.export({ type: "spki", format: "pem" }) as string;
  const der = p256.publicKey.export({ type: "spki", format: "der" });
  const point = Buffer.concat([
    Buffer.from([4]),
    ...["x", "y"].map((name) => Buffer.from(jwk(p256.publicKey)[name] as string, "base64url")),
  ]);
  test.each<[string, string | Uint8Array]>([
    ["SPKI", spki],
    ["SPKI behind blanks", `  \n\t${spki}`],
    ["SPKI behind a comment", `# our key\n${spki}`],
    ["SPKI behind a byte order mark", `\ufeff${spki}`],
    ["SPKI of other line ends", spki.replaceAll("\n", "\r\n")],
    ["SPKI in one line", spki.replaceAll("\n", " ")],
    ["SPKI in UTF-16", Buffer.from(spki, "utf16le")],
    ["PKCS#1", rsa.publicKey.export({ type: "pkcs1", format: "pem" }) as string],
    ["private key", rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string],
    ["DER", der],
    ["PKCS#1 DER", rsa.publicKey.export({ type: "pkcs1", format: "der" })],
    ["base64 of DER", der.toString("base64")],
    ["base64url of DER", der.toString("base64url")],
    ["wrapped base64 of DER", `${der.toString("base64").replace(/(.{64})/g, "$1\n")}\n`],
    ["JWK", JSON.stringify(jwk(rsa.publicKey))],
    ["spaced JWK", ` ${JSON.stringify(jwk(ed.publicKey), null, 2)}`],
    ["SSH", `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)} me@host`],
    ["SSH RSA", `x ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ${"A".repeat(100)}`],
    ["SSH ECDSA", `ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB${"A".repeat(80)}`],
    ["bare SSH", `AAAAB3NzaC1yc2EAAAADAQABAAABAQ${"A".repeat(100)}`],
    ["SSH2", `---- BEGIN SSH2 PUBLIC KEY ----\nAAAA${"A".repeat(100)}\n---- END SSH2 PUBLIC KEY ----`],
    ["uncompressed point", point],
  ])("are never a key that others can read: %s", (_name, text) => {
    expect(refused(text, "HS256")).toMatch(/could sign/);
    expect(() => importVerifyKey(text, "HS256", { allowWeak: true })).toThrow(/could sign/);
    expect(() => importVerifyKey(createSecretKey(Buffer.from(text as string)), "HS256")).toThrow(/could sign/);
  });

  test("may be any random text", () => {
    for (let i = 0; i < 300; i++) {
      importVerifyKey(randomBytes(48), "HS256");
      importVerifyKey(randomBytes(48).toString("base64"), "HS256");
    }
  });

  test("are not to be found in the sentence", () => {
    expect(refused("hunter2-hunter2", "HS256")).not.toMatch(/hunter2/);
  });
});

describe("resolvers", () => {
  const none = () => undefined;
  const secret = (kid?: string) => ({ kty: "oct", k: randomBytes(64).toString("base64url"), ...(kid && { kid }) });

  test("over fixed keys go by the algorithm and, where a key has one, the kid", () => {
    const a = importVerifyKey(secret("a"), "HS256");
    const b = importVerifyKey(secret("b"), "HS256");
    const c = importVerifyKey(secret(), "HS256");
    const d = importVerifyKey(secret(), "HS512");
    const keys = fixedKeys([a, b, c, d]);
    expect(keys.find({ alg: "HS256" }, none)).toEqual([a, b, c]);
    expect(keys.find({ alg: "HS256", kid: "b" }, none)).toEqual([b, c]);
    expect(keys.find({ alg: "HS256", kid: "B" }, none)).toEqual([c]);
    expect(keys.find({ alg: "HS512", kid: "x" }, none)).toEqual([d]);
    for (const alg of ["none", "hs256", "toString", "__proto__", "RS256"]) expect(keys.find({ alg }, none)).toEqual([]);
    expect(keys.has(a, keys.version)).toBe(true);
    expect(keys.has(a, keys.version + 1)).toBe(false);
    expect(keys.has(importVerifyKey(secret(), "HS256"), keys.version)).toBe(false);
  });

  test("over key sets match the kid exactly and leave nothing to choice", () => {
    const key = (kid: string | undefined, more: object = {}) => ({
      ...jwk(generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey),
      ...(kid !== undefined && { kid }),
      ...more,
    });
    const find = (set: unknown, kid?: string) =>
      importKeySet(set, ["ES256"]).find(
        { alg: "ES256", ...(kid !== undefined && { kid }) },
        none,
      ) as readonly unknown[];
    expect(find({ keys: [key("a"), key("b")] }, "a")).toHaveLength(1);
    expect(find({ keys: [key("a"), key("b")] }, "A")).toHaveLength(0);
    expect(find({ keys: [key("a"), key("b")] })).toHaveLength(0);
    expect(find({ keys: [key("a")] })).toHaveLength(1);
    expect(find({ keys: [key("a"), key("a")] }, "a")).toHaveLength(0);
    expect(find({ keys: [key("a"), key("a", { use: "enc" })] }, "a")).toHaveLength(1);
    expect(find({ keys: [key("a"), key("a", { x: "AA" })] }, "a")).toHaveLength(0);
    expect(find({ keys: [key(undefined)] }, "a")).toHaveLength(1);
    expect(find({ keys: [key("a"), { kty: "AKP" }, { kty: "EC", crv: "secp256k1" }, {}] }, "a")).toHaveLength(1);
    expect(find({ keys: [key("a"), jwk(p256.privateKey)] }, "a")).toHaveLength(1);
    expect(find({ keys: [{ ...jwk(p256.privateKey), kid: "p" }] }, "p")).toHaveLength(0);
  });

  test("over key sets use no secret that lies beside public keys", () => {
    const mixed = importKeySet({ keys: [secret("s"), jwk(p256.publicKey)] }, ["HS256", "ES256"]);
    expect(mixed.find({ alg: "HS256", kid: "s" }, none)).toEqual([]);
    expect(mixed.size).toBe(1);
    expect(importKeySet({ keys: [secret("s"), secret("t")] }, ["HS256"]).size).toBe(2);
  });

  test("refuse a malformed set", () => {
    const inherited = Object.create({ keys: [] }) as unknown;
    const odd = [
      null,
      undefined,
      1,
      "x",
      [],
      {},
      { keys: {} },
      { keys: null },
      { keys: [null] },
      { keys: ["x"] },
      { keys: [[]] },
    ];
    for (const set of [...odd, inherited]) {
      expect(() => importKeySet(set, ["RS256"])).toThrow(UsageError);
      expect(() => importKeySet(set, ["RS256"])).toThrow(/malformed/);
    }
  });

  test("take an empty set, which has no key for anybody", () => {
    expect(importKeySet({ keys: [] }, ["RS256"]).size).toBe(0);
  });
});
