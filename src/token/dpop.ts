import type { DpopConfig } from "../config/dpop.ts";
import type { Algorithm } from "../crypto/algorithms.ts";
import { sha256 } from "../crypto/digest.ts";
import { importVerifyKey, type KeyMaterial } from "../crypto/keys.ts";
import { thumbprint } from "../crypto/thumbprint.ts";
import { DpopError, isJwtError } from "../errors.ts";
import { readSegment, type Segments, split } from "./compact.ts";
import { plainPath, plainUri } from "./dpop-uri.ts";
import { parseHeader } from "./header.ts";
import type { FormRules } from "./token-rules.ts";
import { expiredAt } from "./verify.ts";

type Claims = Readonly<Record<string, unknown>>;

/** What a proof is held against. */
export interface ProofTarget {
  /** All lines of the header `DPoP`. */
  readonly lines: readonly string[];
  readonly method: string;
  /** Path and query as received, which must be those that the client asked for. */
  readonly url: string;
  /** The access token that came with the proof, if one did. */
  readonly token?: string | undefined;
  /** The thumbprint of the key that must have signed; `undefined`: any. */
  readonly jkt?: string | undefined;
  /** The nonces that are good now; `undefined`: none is asked for. */
  readonly nonces?: readonly string[] | undefined;
}

/** A proof that is good for its request. Whether it was used before is not known yet. */
export interface Proof {
  /** The thumbprint of the key that signed it (RFC 7638). */
  readonly jkt: string;
  readonly jti: string;
  readonly nonce: unknown;
}

const FORM: FormRules = { paddedBase64: false, lastNameWins: false, strictHeader: true, maxBytes: 4096, maxDepth: 32 };
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const MOST_JTI = 256;
/** Characters of base64url that a modulus of 4096 bits takes. */
const MOST_MODULUS = 683;

const invalid = (detail: string): DpopError => new DpopError("dpop_proof_invalid", { detail });

/** The thumbprint of the key that a token is bound to (RFC 9449 §6.1); "" for any other bond, which no proof can meet; `undefined` for none. */
export function boundTo({ cnf }: Claims): string | undefined {
  if (cnf === undefined) return undefined;
  const jkt = typeof cnf === "object" && cnf !== null && Object.hasOwn(cnf, "jkt") && (cnf as { jkt: unknown }).jkt;
  return typeof jkt === "string" ? jkt : "";
}

/** Refuses a bound token without the scheme `DPoP`, and one that is not bound with it (RFC 9449 §7.1, §7.2). */
export function schemeFault(claims: Claims, byScheme: boolean, required: boolean): DpopError | undefined {
  if (claims.cnf !== undefined) return byScheme ? undefined : new DpopError("token_bound");
  return byScheme || required ? new DpopError("token_unbound") : undefined;
}

/**
 * Judges a DPoP proof by all that RFC 9449 §4.3 asks but its being new, what is cheap first and the signature last. `now` is in
 * milliseconds. A refusal is returned, not thrown.
 */
export function checkProof(target: ProofTarget, rules: DpopConfig, now: number): Proof | DpopError {
  const { lines, nonces } = target;
  const [line] = lines;
  if (line === undefined) return new DpopError("dpop_proof_missing");
  // Where lines are joined with commas, two of them are one.
  if (lines.length > 1 || line.includes(",")) return invalid("more than one proof");
  const segments = split(line, FORM);
  if (segments instanceof Error) return invalid(String(segments.detail));
  const header = parseHeader(segments.header, FORM);
  if (header instanceof Error) return invalid(String(header.detail));
  const { typ, alg, jwk } = header;
  if (typ !== "dpop+jwt") return invalid("typ is not dpop+jwt");
  if (!(rules.algorithms as readonly string[]).includes(alg)) return invalid("alg is not among those taken");
  const jkt = isPublic(jwk) ? thumbprint(jwk) : undefined;
  if (jkt === undefined) return invalid("jwk is no public key");
  const claims = readSegment(segments.payload, FORM);
  if (typeof claims === "string") return invalid(`payload: ${claims}`);
  const fault = claimFault(claims, target, rules, now);
  if (fault !== undefined) return invalid(fault);
  if (target.jkt !== undefined && jkt !== target.jkt) return invalid("jwk is not the key that the token is bound to");
  const { jti, nonce } = claims;
  if (nonces !== undefined && !nonces.includes(nonce as string))
    return new DpopError("dpop_nonce_required", { nonce: nonces[0] });
  return isSignedBy(jwk as KeyMaterial, alg as Algorithm, segments)
    ? { jkt, jti: jti as string, nonce }
    : invalid("the key is not sound, or the signature is wrong");
}

function isPublic(jwk: unknown): boolean {
  if (typeof jwk !== "object" || jwk === null || PRIVATE.some((name) => Object.hasOwn(jwk, name))) return false;
  const { n } = jwk as { n?: unknown };
  // The key is the client's choice, and so would be the time that a huge one takes.
  return typeof n !== "string" || n.length <= MOST_MODULUS;
}

function claimFault(claims: Claims, target: ProofTarget, rules: DpopConfig, now: number): string | undefined {
  const { htm, htu, iat, nbf = iat, jti, ath } = claims;
  if (htm !== target.method) return "htm is another method";
  const uri = typeof htu === "string" ? plainUri(htu) : undefined;
  if (uri === undefined || !rules.origins.includes(uri.origin) || uri.path !== plainPath(target.url))
    return "htu is another address";
  const seconds = now / 1000;
  const isPast = (time: unknown): time is number =>
    typeof time === "number" && Number.isFinite(time) && time - seconds <= rules.leeway;
  if (!isPast(iat) || !isPast(nbf) || seconds - iat > rules.maxAge || expiredAt(claims, now, rules.leeway, false))
    return "iat is too old or ahead of the clock, or nbf or exp are";
  if (typeof jti !== "string" || jti === "" || jti.length > MOST_JTI) return "jti is missing, too long or no text";
  if (target.token !== undefined && ath !== sha256(target.token).toString("base64url"))
    return "ath is not that of the token";
  return undefined;
}

function isSignedBy(jwk: KeyMaterial, algorithm: Algorithm, { token, end }: Segments): boolean {
  try {
    return importVerifyKey(jwk, algorithm).verify(token, end);
  } catch (error) {
    if (isJwtError(error)) return false;
    throw error;
  }
}
