import { constants, KeyObject, sign as rawSign, verify as rawVerify, type SignKeyObjectInput } from "node:crypto";
import { decodeBriefly } from "../internal/base64url.ts";
import { createLatin1Room } from "../internal/bytes.ts";
import { slice } from "../internal/text.ts";
import { ALGORITHMS, type Algorithm, type AlgorithmRow, isAlgorithm } from "./algorithms.ts";
import { readPrivateKey, readPublicKey } from "./asymmetric.ts";
import { createHmac } from "./hmac.ts";
import { checkJwkPurpose, isJwk, jwkId, jwkSecret, type KeyUse } from "./jwk.ts";
import { keyFault } from "./key-fault.ts";
import type { KeyMaterial, KeyRules, SigningKey, VerifyKey } from "./key-types.ts";
import { describePublicText } from "./public-text.ts";

/** Verifying and signing in one go read their input before they return, so that one room serves them all. */
const inputBytes = createLatin1Room(8 * 1024);

const STRICT: KeyRules = { allowWeak: false };

/**
 * Binds a key to one algorithm for verifying. A private key or private JWK gives its public half.
 * Throws `UsageError` `key_unusable` with a sentence that says what is wrong and how to mend it (RFC 7518 §3, RFC 8725 §3.1, §3.5).
 */
export function importVerifyKey(material: KeyMaterial, algorithm: Algorithm, rules: KeyRules = STRICT): VerifyKey {
  const { row, kid } = prepare(material, algorithm, "verify");
  if (row.family === "hmac") {
    const { verify } = createHmac(row.hash as string, secretBytes(material, algorithm, rules));
    return { algorithm, kid, verify };
  }
  const key = signatureInput(readPublicKey(material, algorithm, rules), row);
  const { hash } = row;
  return {
    algorithm,
    kid,
    verify(token, end) {
      const bytes = decodeBriefly(slice(token, end + 1));
      if (bytes === undefined) return false;
      try {
        return rawVerify(hash, inputBytes(token, end), key, bytes);
      } catch {
        // Some OpenSSL builds throw for signatures that no key of this size could have made.
        return false;
      }
    },
  };
}

/**
 * Binds a key to one algorithm for signing.
 * Throws `UsageError` `key_unusable` with a sentence that says what is wrong and how to mend it (RFC 7518 §3, RFC 8725 §3.1, §3.5).
 */
export function importSigningKey(material: KeyMaterial, algorithm: Algorithm, rules: KeyRules = STRICT): SigningKey {
  const { row, kid } = prepare(material, algorithm, "sign");
  if (row.family === "hmac") {
    const { sign } = createHmac(row.hash as string, secretBytes(material, algorithm, rules));
    return { algorithm, kid, sign };
  }
  const key = signatureInput(readPrivateKey(material, algorithm, rules), row);
  const { hash } = row;
  if (!row.slowToSign) {
    return { algorithm, kid, sign: (text) => rawSign(hash, inputBytes(text, text.length), key).toString("base64url") };
  }
  return {
    algorithm,
    kid,
    sign: (text) =>
      new Promise((resolve, reject) => {
        rawSign(hash, Buffer.from(text, "latin1"), key, (error, signature) => {
          if (error) reject(error);
          else resolve(signature.toString("base64url"));
        });
      }),
  };
}

function prepare(material: unknown, algorithm: unknown, use: KeyUse): { row: AlgorithmRow; kid: string | undefined } {
  if (!isAlgorithm(algorithm)) {
    throw keyFault(`The algorithm is not supported. Choose one of ${Object.keys(ALGORITHMS).join(", ")}.`);
  }
  if (!isJwk(material)) return { row: ALGORITHMS[algorithm], kid: undefined };
  checkJwkPurpose(material, algorithm, use);
  return { row: ALGORITHMS[algorithm], kid: jwkId(material) };
}

/** RSASSA-PKCS1-v1_5 is what a plain RSA key does by itself, and an object around it costs time. */
function signatureInput(key: KeyObject, row: AlgorithmRow): SignKeyObjectInput | KeyObject {
  if (row.family === "rsa-pss") return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: row.digestBytes };
  return row.family === "ec" ? { key, dsaEncoding: "ieee-p1363" } : key;
}

/** The bytes of an HMAC secret, which must hold as many bytes as the digest (RFC 7518 §3.2). */
function secretBytes(material: unknown, algorithm: Algorithm, rules: KeyRules): Uint8Array {
  const secret = rawSecret(material, algorithm);
  if (secret.length === 0) throw keyFault(`The secret for ${algorithm} is empty. ${HOW_TO_MAKE}`);
  const text = describePublicText(secret);
  if (text !== undefined) {
    throw keyFault(
      `The secret for ${algorithm} is ${text}. Whoever can read it could sign tokens: give a random secret, ` +
        "or name the algorithm of the key pair.",
    );
  }
  const least = ALGORITHMS[algorithm].digestBytes;
  if (secret.length < least && !rules.allowWeak) {
    throw keyFault(`The secret for ${algorithm} has fewer than ${least} bytes (RFC 7518 §3.2). ${HOW_TO_MAKE}`);
  }
  return secret;
}

const HOW_TO_MAKE = "Make one with `openssl rand -base64 48`, and keep it out of the source code.";

function rawSecret(material: unknown, algorithm: Algorithm): Uint8Array {
  if (typeof material === "string") return Buffer.from(material, "utf8");
  if (material instanceof Uint8Array) return Buffer.from(material);
  if (isJwk(material)) return jwkSecret(material);
  if (material instanceof KeyObject) {
    if (material.type === "secret") return material.export();
    throw keyFault(
      `A ${material.type} key cannot be used with ${algorithm}. Give a secret, or name the algorithm of the key pair.`,
    );
  }
  throw keyFault(
    `The secret for ${algorithm} is neither text, bytes, a JWK object nor a KeyObject. Give one of these.`,
  );
}
