import type { JwtHeader, MaybePromise } from "../types.ts";
import type { Algorithm } from "./algorithms.ts";
import { importVerifyKey } from "./import-key.ts";
import { checkJwkPurpose, isJwk, isPrivateJwk, type JsonWebKeyLike } from "./jwk.ts";
import { keyFault } from "./key-fault.ts";
import type { KeyRules, VerifyKey } from "./key-types.ts";

/** A JWK Set (RFC 7517 §5). */
export interface JwkSet {
  readonly keys: readonly object[];
}

/** Chooses the keys that may verify a token. */
export interface KeyResolver {
  /** False where keys are chosen for each token by a callback: nothing verified by them is remembered. */
  readonly cacheable: boolean;
  /** Changes whenever a key is added, removed or replaced. */
  readonly version: number;
  /**
   * The keys to try, in order; none refuses the token. The claims are unverified, and only parsed if they are asked for
   * (`undefined` if they cannot be).
   */
  find(
    header: JwtHeader,
    claims: () => Readonly<Record<string, unknown>> | undefined,
  ): MaybePromise<readonly VerifyKey[]>;
  /** Whether a key that verified under `version` still would. */
  has(key: VerifyKey, version: number): boolean;
}

const NONE: readonly VerifyKey[] = Object.freeze([]);
const VERSION = 0;

/** The keys of one algorithm: all of them, those without a `kid`, and for each `kid` those that may verify its tokens, in their order. */
interface Row {
  readonly all: VerifyKey[];
  readonly unnamed: VerifyKey[];
  readonly byKid: Map<string, VerifyKey[]>;
}

function byAlgorithm(keys: readonly VerifyKey[]): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const key of keys) {
    const row: Row = rows.get(key.algorithm) ?? { all: [], unnamed: [], byKid: new Map() };
    rows.set(key.algorithm, row);
    row.all.push(key);
    if (key.kid === undefined) row.unnamed.push(key);
    else row.byKid.set(key.kid, [...(row.byKid.get(key.kid) ?? []), key]);
  }
  for (const { all, unnamed, byKid } of rows.values()) {
    if (unnamed.length === 0) continue;
    for (const kid of byKid.keys())
      byKid.set(
        kid,
        all.filter((key) => key.kid === undefined || key.kid === kid),
      );
  }
  return rows;
}

function resolver(keys: readonly VerifyKey[], find: KeyResolver["find"]): KeyResolver {
  const held = new Set(keys);
  return Object.freeze<KeyResolver>({
    cacheable: true,
    version: VERSION,
    find,
    has: (key, version) => version === VERSION && held.has(key),
  });
}

/**
 * A resolver over keys that never change. A key is chosen by its exact algorithm; a key that has a `kid` does not take tokens
 * of another `kid`, and a key without one takes any (RFC 7515 §4.1.4).
 */
export function fixedKeys(keys: readonly VerifyKey[]): KeyResolver {
  const rows = byAlgorithm(keys);
  return resolver([...keys], ({ alg, kid }) => {
    const row = rows.get(alg);
    if (row === undefined) return NONE;
    return kid === undefined ? row.all : (row.byKid.get(kid) ?? row.unnamed);
  });
}

/**
 * A resolver over a JWK Set (RFC 7517 §5), for the named algorithms only.
 * Keys of unknown types, for other uses, malformed or weak ones are left out, as are private keys, and secrets beside public keys:
 * neither belongs into a set that others can read. A `kid` is matched exactly; where it, or its absence, leaves a choice of several keys,
 * none is used. Throws `UsageError` `key_unusable` if the value is no JWK Set. `size` says how many keys can be used.
 */
export function importKeySet(
  set: unknown,
  algorithms: readonly Algorithm[],
  rules?: KeyRules,
): KeyResolver & { readonly size: number } {
  const keys: VerifyKey[] = [];
  const ambiguous = new Set<string>();
  const members = readSet(set);
  for (const algorithm of new Set(algorithms)) {
    const named = new Set<unknown>();
    for (const jwk of members) {
      if (!isMeantFor(jwk, algorithm)) continue;
      // A key that turns out to be malformed has still taken its name: what the issuer meant is unknown.
      if (jwk.kid !== undefined && named.has(jwk.kid)) ambiguous.add(nameOf(algorithm, jwk.kid));
      named.add(jwk.kid);
      keys.push(...importMember(jwk, algorithm, rules));
    }
  }
  const rows = byAlgorithm(keys);
  const { find, ...rest } = resolver(keys, ({ alg, kid }) => {
    const row = rows.get(alg);
    if (row === undefined || (kid !== undefined && ambiguous.has(nameOf(alg, kid)))) return NONE;
    if (kid === undefined) return row.all.length === 1 ? row.all : NONE;
    const named = row.byKid.get(kid)?.filter((key) => key.kid === kid) ?? row.unnamed;
    return named.length === 1 ? named : NONE;
  });
  return Object.freeze({ ...rest, find, size: keys.length });
}

function nameOf(algorithm: string, kid: unknown): string {
  return `${algorithm} ${String(kid)}`;
}

function readSet(set: unknown): readonly JsonWebKeyLike[] {
  const members =
    typeof set === "object" && set !== null && Object.hasOwn(set, "keys") ? (set as { keys: unknown }).keys : undefined;
  if (
    !Array.isArray(members) ||
    members.some((member) => typeof member !== "object" || member === null || Array.isArray(member))
  ) {
    throw keyFault('The key set is malformed. Give an object with an array of JWK objects under "keys" (RFC 7517 §5).');
  }
  const jwks = members.filter(isJwk);
  const isSecret = (jwk: JsonWebKeyLike): boolean => jwk.kty === "oct";
  const onlySecrets = jwks.every(isSecret);
  return jwks.filter((jwk) => (isSecret(jwk) ? onlySecrets : !isPrivateJwk(jwk)));
}

function isMeantFor(jwk: JsonWebKeyLike, algorithm: Algorithm): boolean {
  return succeeds(() => checkJwkPurpose(jwk, algorithm, "verify"));
}

/** A set may hold keys that are not for us (RFC 7517 §5); the others still count. */
function importMember(jwk: JsonWebKeyLike, algorithm: Algorithm, rules: KeyRules | undefined): readonly VerifyKey[] {
  const found: VerifyKey[] = [];
  succeeds(() => found.push(importVerifyKey(jwk, algorithm, rules)));
  return found;
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
