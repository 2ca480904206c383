import { createPrivateKey, createPublicKey, KeyObject } from "node:crypto";
import { decode } from "../internal/base64url.ts";
import { ALGORITHMS, type Algorithm } from "./algorithms.ts";
import { isJwk, jwkPrivateKey, jwkPublicKey } from "./jwk.ts";
import { keyFault } from "./key-fault.ts";
import type { KeyRules } from "./key-types.ts";
import { isRocaModulus } from "./roca.ts";
import { isSmallOrderPoint } from "./small-order.ts";

const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 16_384;
const MOST_EXPONENT = 2n ** 64n;

/** Reads the public half of a key in any form, and judges it. Throws `key_unusable`. */
export function readPublicKey(material: unknown, algorithm: Algorithm, rules: KeyRules): KeyObject {
  const key = isJwk(material) ? jwkPublicKey(material, algorithm) : publicKeyOf(material, algorithm);
  judge(key, algorithm, rules);
  return key;
}

/** Reads a private key in any form, and judges it. Throws `key_unusable`. */
export function readPrivateKey(material: unknown, algorithm: Algorithm, rules: KeyRules): KeyObject {
  const key = isJwk(material) ? jwkPrivateKey(material, algorithm) : privateKeyOf(material, algorithm);
  judge(createPublicKey(key), algorithm, rules);
  return key;
}

function publicKeyOf(material: unknown, algorithm: Algorithm): KeyObject {
  if (material instanceof KeyObject) {
    if (material.type === "public") return material;
    if (material.type === "private") return createPublicKey(material);
    throw keyFault(`A secret key cannot be used with ${algorithm}. Give a key pair, or choose an HS algorithm.`);
  }
  return readEncoded(material, algorithm, [
    (pem) => createPublicKey(pem),
    (der) => createPublicKey({ key: der, format: "der", type: "spki" }),
    (der) => createPublicKey({ key: der, format: "der", type: "pkcs1" }),
    (der) => createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" })),
  ]);
}

function privateKeyOf(material: unknown, algorithm: Algorithm): KeyObject {
  if (material instanceof KeyObject) {
    if (material.type === "private") return material;
    throw keyFault(`A ${material.type} key cannot sign with ${algorithm}. Give the private key.`);
  }
  return readEncoded(material, algorithm, [
    (pem) => createPrivateKey(pem),
    (der) => createPrivateKey({ key: der, format: "der", type: "pkcs8" }),
    (der) => createPrivateKey({ key: der, format: "der", type: "pkcs1" }),
    (der) => createPrivateKey({ key: der, format: "der", type: "sec1" }),
  ]);
}

/** Tries the first reader on PEM text, the others on DER bytes. */
function readEncoded(
  material: unknown,
  algorithm: Algorithm,
  readers: readonly [(pem: string) => KeyObject, ...((der: Buffer) => KeyObject)[]],
): KeyObject {
  const [pemReader, ...derReaders] = readers;
  if (typeof material === "string" || material instanceof Uint8Array) {
    const text = typeof material === "string" ? material : Buffer.from(material).toString("latin1");
    if (text.includes("-----BEGIN ")) return readPem(text.trim(), algorithm, pemReader);
    if (typeof material !== "string") {
      const der = Buffer.from(material);
      for (const read of derReaders) {
        try {
          return read(der);
        } catch {
          // The next format may fit.
        }
      }
    }
  }
  throw keyFault(
    `The key for ${algorithm} is neither PEM text, DER bytes, a JWK object nor a KeyObject. ` +
      "Give one of these; an SSH key is turned into PEM by `ssh-keygen -e -m pkcs8`, the text of a JWK by `JSON.parse`.",
  );
}

function readPem(pem: string, algorithm: Algorithm, read: (pem: string) => KeyObject): KeyObject {
  try {
    return read(pem);
  } catch {
    if (pem.includes("\\n")) {
      throw keyFault(
        'The PEM text holds "\\n" as two characters instead of line breaks. Replace them: `text.replaceAll("\\\\n", "\\n")`.',
      );
    }
    if (pem.includes("ENCRYPTED")) {
      throw keyFault("The private key is encrypted. Give it decrypted, or as `createPrivateKey({ key, passphrase })`.");
    }
    throw keyFault(
      `The PEM text could not be read as the key that ${algorithm} needs here. Check that it is whole, and not the other half of the pair.`,
    );
  }
}

/** Refuses keys that do not fit the algorithm, and keys that are too weak (RFC 7518 §3.3 to §3.5, RFC 8725 §3.5). */
function judge(key: KeyObject, algorithm: Algorithm, rules: KeyRules): void {
  const { family, curve, hash, digestBytes } = ALGORITHMS[algorithm];
  const type = key.asymmetricKeyType;
  const details = key.asymmetricKeyDetails ?? {};
  if (family === "rsa" || family === "rsa-pss") {
    const bound = type === "rsa-pss";
    if (type !== "rsa" && !(bound && family === "rsa-pss")) throw misfit(algorithm, "an RSA key");
    if (bound && details.hashAlgorithm !== undefined) {
      const fits =
        details.hashAlgorithm === hash &&
        details.mgf1HashAlgorithm === hash &&
        (details.saltLength ?? 0) <= digestBytes;
      if (!fits) throw misfit(algorithm, "an RSA key that is not bound to another digest or salt");
    }
    judgeRsa(key, rules, bound);
  } else if (family === "ec") {
    if (type !== "ec" || details.namedCurve !== curve?.openssl)
      throw misfit(algorithm, `a key on the curve ${curve?.crv}`);
  } else {
    if (type !== "ed25519") throw misfit(algorithm, "an Ed25519 key");
    const x = decode(key.export({ format: "jwk" }).x as string);
    if (x === undefined || isSmallOrderPoint(x)) {
      throw keyFault("The Ed25519 key is a point of small order, for which anybody can sign. Make a new key pair.");
    }
  }
}

function judgeRsa(key: KeyObject, rules: KeyRules, bound: boolean): void {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < LEAST_RSA_BITS && !rules.allowWeak) {
    throw keyFault(`The RSA key has fewer than ${LEAST_RSA_BITS} bits (RFC 7518 §3.3). Make a larger one.`);
  }
  if (modulusLength > MOST_RSA_BITS)
    throw keyFault(`The RSA key has more than ${MOST_RSA_BITS} bits. Make a smaller one.`);
  if (publicExponent < 3n || publicExponent % 2n === 0n || publicExponent > MOST_EXPONENT) {
    throw keyFault(
      "The public exponent of the RSA key is not sound. Make a new key pair; 65537 is the usual exponent.",
    );
  }
  // `rsa-pss` keys cannot be exported as JWK, and no generator with the flaw makes them.
  if (bound) return;
  const modulus = decode(key.export({ format: "jwk" }).n as string);
  if (modulus === undefined || isRocaModulus(modulus)) {
    throw keyFault(
      "The RSA key comes from a broken generator (CVE-2017-15361). Make a new key pair with other software.",
    );
  }
}

function misfit(algorithm: Algorithm, wanted: string) {
  return keyFault(`The key does not fit ${algorithm}. Give ${wanted}, or name the algorithm that fits the key.`);
}
