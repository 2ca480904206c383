import { type Algorithm, isAlgorithm, isSymmetric } from "../crypto/algorithms.ts";
import { parseDuration } from "../internal/duration.ts";
import type { TokenStore } from "../stores/contract.ts";
import type { Duration, JwtLocation } from "../types.ts";
import type { Behaviour } from "./behaviour.ts";

/** How proofs of possession are asked for and judged (RFC 9449). */
export interface DpopOptions {
  /** Whether tokens that are not bound to a key are refused. @default false */
  readonly required?: boolean | undefined;
  /** What proofs may be signed with. @default ["ES256", "EdDSA"] */
  readonly algorithms?: readonly string[] | undefined;
  /** How old a proof may be, at most an hour. @default "60s" */
  readonly maxAge?: Duration | undefined;
  /** Seconds by which the clock of a client may be ahead, 0 to 300. @default 30 */
  readonly leeway?: number | undefined;
  /** Whether proofs must hold a nonce of this server; `secret` is shared by all processes, `true` takes one from the store. @default false */
  readonly nonces?: boolean | { readonly secret: string | Uint8Array } | undefined;
  /** The origins under which clients reach this service. @default the option `publicOrigin` */
  readonly origin?: string | readonly string[] | undefined;
}

/** The same, checked and completed. Times are seconds. */
export interface DpopConfig {
  readonly required: boolean;
  readonly algorithms: readonly Algorithm[];
  readonly maxAge: number;
  readonly leeway: number;
  /** Gives the secret of nonces, so that it shows nowhere; or takes that of the store. `undefined`: none are asked for. */
  readonly nonces: (() => string | Uint8Array) | "store" | undefined;
  readonly origins: readonly string[];
}

const MOST_AGE = 3600;
const LEAST_SECRET = 32;
const NAMES = ["required", "algorithms", "maxAge", "leeway", "nonces", "origin"];

type Given = Readonly<Record<string, unknown>>;

/** What is wrong with the option, to go on after "dpop "; `isOrigin` knows an origin. */
export function dpopFault(value: unknown, isOrigin: (value: unknown) => boolean): string | undefined {
  if (typeof value === "boolean") return undefined;
  if (typeof value !== "object" || value === null) return "must be true, false or an object of settings";
  const { required, algorithms, maxAge, leeway, nonces, origin, ...unknown } = value as Given;
  if (Object.keys(unknown).length > 0) return `has settings that do not exist; there are ${NAMES.join(", ")}`;
  if (![undefined, true, false].includes(required as undefined)) return "must have true or false in required";
  if (algorithms !== undefined && !areAlgorithms(algorithms))
    return 'must have a list of signature algorithms in algorithms, such as ["ES256"], and no HS ones';
  const age = maxAge === undefined ? 1 : parseDuration(maxAge as Duration);
  if (age === undefined || age <= 0 || age > MOST_AGE) return "must have a duration of at most an hour in maxAge";
  if (leeway !== undefined && !(Number.isInteger(leeway) && (leeway as number) >= 0 && (leeway as number) <= 300))
    return "must have whole seconds from 0 to 300 in leeway";
  if (![undefined, true, false].includes(nonces as undefined) && !isSecret((nonces as Given | null)?.secret))
    return `must have true, false or { secret } in nonces; the secret takes at least ${LEAST_SECRET} bytes`;
  const origins = [origin ?? []].flat();
  if (origin !== undefined && (origins.length === 0 || !origins.every(isOrigin)))
    return 'must have one or more origins in origin, such as "https://api.example.com", lower case, without a path';
  return undefined;
}

const areAlgorithms = (given: unknown): boolean =>
  Array.isArray(given) && given.length > 0 && given.every((name) => isAlgorithm(name) && !isSymmetric(name));

const isSecret = (given: unknown): boolean =>
  (typeof given === "string" || given instanceof Uint8Array) && given.length >= LEAST_SECRET;

/** Completes the option, and adds to `faults` what it needs and does not find. */
export function resolveDpop(
  given: DpopOptions | boolean | undefined,
  around: {
    readonly behaviour: Behaviour;
    readonly publicOrigin: string | undefined;
    readonly store: TokenStore | null;
    readonly locations: readonly JwtLocation[];
    readonly headerType: string;
  },
  faults: string[],
): DpopConfig | undefined {
  if (given === undefined || given === false) return undefined;
  const options: DpopOptions = given === true ? {} : given;
  const { behaviour, publicOrigin, store, locations, headerType } = around;
  const { algorithms = ["ES256", "EdDSA"], maxAge = "60s", leeway = 30, nonces = false, required = false } = options;
  const origins = [options.origin ?? publicOrigin ?? []].flat();
  if (origins.length === 0)
    faults.push("dpop needs to know the address that clients use: set publicOrigin, or origin in dpop.");
  if (!behaviour.oneCredential || !behaviour.sessions) faults.push("dpop and compat do not go together: remove one.");
  else if (typeof store?.spend !== "function")
    faults.push("dpop needs a store that remembers which proofs were used: give one, such as memoryStore().");
  else if (nonces === true && store.secret === undefined)
    faults.push("dpop needs a secret for nonces, and the store keeps none: give nonces: { secret } in dpop.");
  if (!locations.includes("headers") || headerType === "" || headerType.toLowerCase() === "dpop")
    faults.push('dpop needs "headers" in tokenLocation, and a headerType other than "" and "DPoP".');
  return Object.freeze<DpopConfig>({
    required,
    algorithms: Object.freeze([...algorithms]) as readonly Algorithm[],
    maxAge: parseDuration(maxAge) as number,
    leeway,
    nonces: typeof nonces === "object" ? () => nonces.secret : nonces ? "store" : undefined,
    origins: Object.freeze(origins),
  });
}
