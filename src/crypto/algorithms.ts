/** The names of the signature algorithms that are understood (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
export type Algorithm =
  | "HS256"
  | "HS384"
  | "HS512"
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"
  | "Ed25519";

/** All that is known about one algorithm. */
export interface AlgorithmRow {
  readonly family: "hmac" | "rsa" | "rsa-pss" | "ec" | "ed25519";
  /** The `kty` of its JWKs. */
  readonly kty: "oct" | "RSA" | "EC" | "OKP";
  /** The digest's name for `node:crypto`; Ed25519 brings its own. */
  readonly hash: string | undefined;
  /** Bytes of the digest: the least length of an HMAC secret, and the salt of PSS. */
  readonly digestBytes: number;
  /** The curve: its JWK name, its OpenSSL name, and the bytes of one coordinate. */
  readonly curve?: { readonly crv: string; readonly openssl: string; readonly bytes: number };
  /** Whether a signature takes long enough to belong into the thread pool. */
  readonly slowToSign: boolean;
}

function hmac(bits: number): AlgorithmRow {
  return { family: "hmac", kty: "oct", hash: `sha${bits}`, digestBytes: bits / 8, slowToSign: false };
}

function rsa(family: "rsa" | "rsa-pss", bits: number): AlgorithmRow {
  return { family, kty: "RSA", hash: `sha${bits}`, digestBytes: bits / 8, slowToSign: true };
}

function ec(bits: number, crv: string, openssl: string, bytes: number): AlgorithmRow {
  const curve = { crv, openssl, bytes };
  return { family: "ec", kty: "EC", hash: `sha${bits}`, digestBytes: bits / 8, curve, slowToSign: false };
}

const ed25519: AlgorithmRow = {
  family: "ed25519",
  kty: "OKP",
  hash: undefined,
  digestBytes: 64,
  curve: { crv: "Ed25519", openssl: "ed25519", bytes: 32 },
  slowToSign: false,
};

/** The one table of algorithm knowledge. `none` is not in it, and nothing that is missing here can be verified or signed. */
export const ALGORITHMS: Readonly<Record<Algorithm, AlgorithmRow>> = Object.freeze({
  HS256: hmac(256),
  HS384: hmac(384),
  HS512: hmac(512),
  RS256: rsa("rsa", 256),
  RS384: rsa("rsa", 384),
  RS512: rsa("rsa", 512),
  PS256: rsa("rsa-pss", 256),
  PS384: rsa("rsa-pss", 384),
  PS512: rsa("rsa-pss", 512),
  ES256: ec(256, "P-256", "prime256v1", 32),
  ES384: ec(384, "P-384", "secp384r1", 48),
  ES512: ec(512, "P-521", "secp521r1", 66),
  EdDSA: ed25519,
  Ed25519: ed25519,
});

/** Whether a value is the exact name of an algorithm; letter case counts (RFC 7515 §4.1.1). */
export function isAlgorithm(name: unknown): name is Algorithm {
  return typeof name === "string" && Object.hasOwn(ALGORITHMS, name);
}

/** Whether signing and verifying use the same secret. */
export function isSymmetric(algorithm: Algorithm): boolean {
  return ALGORITHMS[algorithm].family === "hmac";
}
