import { JwtError } from "../../errors.ts";
import { boundTo, schemeFault } from "../../token/dpop.ts";
import type { Check, Passage } from "../passage.ts";
import type { ProofGate } from "../proof-gate.ts";

/** A token that is bound to a key is worth nothing without a proof, also where none can be given (RFC 9449 §7.2). */
export function unbound({ claims }: Passage): JwtError | undefined {
  return claims.cnf === undefined ? undefined : schemeFault(claims, false, false);
}

/** The same where proofs can be given: the proof of a bound token, and no other token beside one. */
export function possession(proofs: ProofGate): Check {
  return (passage) => {
    const { claims, found, rule } = passage;
    const byDpop = found?.byDpop === true;
    const fault = schemeFault(claims, byDpop, rule.config.dpop?.required === true);
    return fault || !byDpop ? fault : prove(passage, proofs);
  };
}

async function prove(passage: Passage, proofs: ProofGate): Promise<JwtError | undefined> {
  const { request, found, claims, now } = passage;
  const proof = await proofs.take(request, { token: String(found?.tokens[0]), jkt: boundTo(claims) }, now);
  if (proof instanceof JwtError) return proof;
  // An answer with a nonce must not be used for another request (RFC 9449 §8.2).
  if (proof.nextNonce !== undefined)
    passage.headers = [...passage.headers, ["dpop-nonce", proof.nextNonce], ["cache-control", "no-store"]];
  return undefined;
}
