import type { DpopConfig } from "../config/dpop.ts";
import { keyedDigest, sha256 } from "../crypto/digest.ts";
import { DpopError, isJwtError, type JwtError } from "../errors.ts";
import type { JwtRequest } from "../http/types.ts";
import type { StoreCalls } from "../sessions/store-calls.ts";
import { checkProof, type ProofTarget } from "../token/dpop.ts";

/** A proof that was good, and now is spent. */
export interface TakenProof {
  /** The thumbprint of the key that signed it. */
  readonly jkt: string;
  /** The nonce to use from now on, where the one of this proof will soon be too old. */
  readonly nextNonce: string | undefined;
}

/** Takes proofs of possession, each once. */
export interface ProofGate {
  /** `now` is in milliseconds. A refusal is returned, not thrown, also that of a store that does not answer. */
  take(request: JwtRequest, expected: Pick<ProofTarget, "token" | "jkt">, now: number): Promise<TakenProof | JwtError>;
}

/** The nonces that are good at a time, in milliseconds, the newest first; `undefined` where none is asked for. */
export type NonceSource = (now: number) => Promise<readonly string[] | undefined>;

/** Milliseconds. A nonce is good in the slot of its making and in the next one. */
const SLOT = 120_000;
/** Seconds that a proof is remembered for after it is too old: what the clocks of processes may differ by. */
const MARGIN = 360;

/** Makes the gate of a manager (RFC 9449 §4.3, §11.1). */
export function createProofGate(
  rules: DpopConfig,
  store: Pick<StoreCalls, "spend" | "secret">,
  nonces: NonceSource = nonceSource(rules, store),
): ProofGate {
  // A request may meet several guards, or a guard and a handler that asks by hand.
  const spent = new WeakMap<JwtRequest, string>();

  async function taken(
    request: JwtRequest,
    expected: Pick<ProofTarget, "token" | "jkt">,
    now: number,
  ): Promise<TakenProof | JwtError> {
    const { method, url } = request;
    const good = await nonces(now);
    const target = { ...expected, lines: request.header("dpop"), method, url, nonces: good };
    const proof = checkProof(target, rules, now);
    if (proof instanceof DpopError) return proof;
    const { jkt, jti, nonce } = proof;
    // A thumbprint has always the same length, so no key and id together read like another pair.
    const name = sha256(jkt, jti).toString("base64url");
    const until = Math.ceil(now + (rules.maxAge + rules.leeway + MARGIN) * 1000);
    if (spent.get(request) !== name && !(await store.spend(name, until))) return new DpopError("dpop_proof_used");
    spent.set(request, name);
    return { jkt, nextNonce: nonce === good?.[0] ? undefined : good?.[0] };
  }
  return {
    take: (request, expected, now) =>
      taken(request, expected, now).catch((error) => (isJwtError(error) ? error : Promise.reject(error))),
  };
}

/** Every process with the same secret knows the nonces of the others (RFC 9449 §8). */
function nonceSource({ nonces }: DpopConfig, store: Pick<StoreCalls, "secret">): NonceSource {
  return async (now) => {
    const secret = nonces === "store" ? await store.secret() : nonces?.();
    if (secret === undefined) return undefined;
    const key = sha256("jwt-extended/dpop-nonce\0", secret);
    const slot = Math.floor(now / SLOT);
    return [slot, slot - 1].map((at) => keyedDigest(key, String(at)));
  };
}
