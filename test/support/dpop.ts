import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { seconds } from "./forge.ts";

/** Where the services of these tests are reached, as their clients see it. */
export const ORIGIN = "https://api.example";

type Line = readonly [name: string, value: string];

/** What a proof says beside `htm` and `htu`, and what is put in the place of the right values. */
export interface ProofOptions {
  /** The access token that goes with it. */
  readonly token?: string | undefined;
  readonly nonce?: string | undefined;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  readonly header?: Readonly<Record<string, unknown>> | undefined;
  /** Unix seconds. */
  readonly now?: number | undefined;
}

/** A client with a key of its own. */
export interface KeyHolder {
  readonly jwk: Readonly<Record<string, unknown>>;
  readonly jkt: string;
  /** A new proof for one request. */
  proof(method: string, path: string, options?: ProofOptions): string;
  /** The headers of a request with a bound token. */
  lines(token: string, method: string, path: string, options?: ProofOptions): Line[];
}

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("base64url");

const PAIRS = {
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
} as const;

/** The thumbprint, written down from RFC 7638 §3.2. */
function thumbprintOf({ kty, crv, x, y, n, e }: Readonly<Record<string, unknown>>): string {
  if (kty === "EC") return sha256(`{"crv":"${crv}","kty":"EC","x":"${x}","y":"${y}"}`);
  return sha256(kty === "RSA" ? `{"e":"${e}","kty":"RSA","n":"${n}"}` : `{"crv":"${crv}","kty":"OKP","x":"${x}"}`);
}

/** A client that has just made its key. */
export function keyHolder(alg: keyof typeof PAIRS = "ES256"): KeyHolder {
  const { publicKey, privateKey } = PAIRS[alg]() as { publicKey: KeyObject; privateKey: KeyObject };
  const jwk = publicKey.export({ format: "jwk" }) as Record<string, unknown>;
  const holder: KeyHolder = {
    jwk,
    jkt: thumbprintOf(jwk),
    proof(method, path, { token, nonce, claims, header, now = seconds() } = {}) {
      const ath = token === undefined ? undefined : sha256(token);
      const said = { jti: randomUUID(), htm: method, htu: `${ORIGIN}${path}`, iat: now, ath, nonce, ...claims };
      const input = `${segment({ typ: "dpop+jwt", alg, jwk, ...header })}.${segment(said)}`;
      const hash = alg === "EdDSA" ? null : "sha256";
      const signature = sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${input}.${signature.toString("base64url")}`;
    },
    lines: (token, method, path, options) => [
      ["Authorization", `DPoP ${token}`],
      ["DPoP", holder.proof(method, path, { token, ...options })],
    ],
  };
  return holder;
}
