import type { KeyResolver, VerifyKey } from "../crypto/keys.ts";
import { isJwtError, type JwtError } from "../errors.ts";
import { flatCopy } from "../internal/flat-text.ts";
import type { JwtHeader, MaybePromise } from "../types.ts";
import { isDecodable, readSegment, type Segments, split } from "./compact.ts";
import { type KindFault, type KindRules, kindFault, parseHeader } from "./header.ts";
import { malformed } from "./refusals.ts";
import type { FormRules } from "./token-rules.ts";

/** A token whose structure, header, key and signature are right. Its payload has not been decoded. */
export interface SignedToken {
  readonly header: Readonly<JwtHeader>;
  readonly key: VerifyKey;
  /** The version of the keys under which it was verified. */
  readonly version: number;
  readonly segments: Segments;
  /** Set where the header names a kind of token that is not taken. */
  readonly kindFault: KindFault | undefined;
}

/** A header that verified before, and what there is to say about it. */
interface KnownHeader {
  readonly text: string;
  readonly header: Readonly<JwtHeader>;
  readonly kindFault: KindFault | undefined;
}

/** So few headers are remembered that comparing them is cheaper than decoding one. */
const MEMO_SIZE = 4;

/**
 * Makes the function that checks the signature layer of a token: structure, header, key, algorithm, signature (RFC 7515 §5.2).
 * It returns refusals, never throws for a token, and gives a promise only where the resolver did.
 */
export function createOpener(
  keys: KeyResolver,
  rules: FormRules & KindRules,
): (token: unknown) => MaybePromise<SignedToken | JwtError> {
  const memo: KnownHeader[] = [];
  let oldest = 0;

  function recall(text: string): KnownHeader | undefined {
    for (let i = 0; i < memo.length; i++) if ((memo[i] as KnownHeader).text === text) return memo[i];
    return undefined;
  }

  function tryKeys(
    found: readonly VerifyKey[],
    known: KnownHeader,
    version: number,
    segments: Segments,
    isNew: boolean,
  ): SignedToken | JwtError {
    const { header, kindFault } = known;
    for (const key of found) {
      // The resolver has chosen by algorithm already; a token must not reach a key of another one even if it erred.
      if (key.algorithm !== header.alg || !key.verify(segments.token, segments.end)) continue;
      if (isNew) {
        // Only headers of tokens that verified come here, so nobody without a key can push ours out.
        memo[oldest] = { ...known, text: flatCopy(known.text) };
        oldest = (oldest + 1) % MEMO_SIZE;
      }
      return { header, key, version, segments, kindFault };
    }
    return malformed(found.length === 0 ? "no key fits the header" : "the signature is wrong");
  }

  return (token) => {
    const segments = split(token, rules);
    if (segments instanceof Error) return segments;
    const seen = recall(segments.header);
    const known = seen ?? read(segments.header);
    if (known instanceof Error) return known;
    const isNew = seen === undefined;
    const { version } = keys;
    const found = keys.find(known.header, () => {
      const claims = readSegment(segments.payload, rules);
      return typeof claims === "string" ? undefined : claims;
    });
    if (!(found instanceof Promise)) return tryKeys(found, known, version, segments, isNew);
    return found.then(
      (rows) => tryKeys(rows, known, version, segments, isNew),
      (error: unknown) => {
        if (isJwtError(error)) return error;
        throw error;
      },
    );
  };

  function read(text: string): KnownHeader | JwtError {
    const header = parseHeader(text, rules);
    return header instanceof Error ? header : { text, header, kindFault: kindFault(header, rules) };
  }
}

/**
 * Verifies a compact JWS with any payload (RFC 7515 §5.2), which `verify` of a token does as its first half.
 * Returns the refusal, and never throws for a token.
 */
export async function verifySignature(
  token: unknown,
  keys: KeyResolver,
  rules: FormRules,
): Promise<SignedToken | JwtError> {
  const signed = await createOpener(keys, rules)(token);
  if (signed instanceof Error) return signed;
  return isDecodable(signed.segments.payload, rules) ? signed : malformed("payload: not canonical base64url");
}
