import type { JwtError } from "../errors.ts";
import type { JwtHeader } from "../types.ts";
import { isDecodable, readSegment, split } from "./compact.ts";
import { malformed, refuse } from "./refusals.ts";
import type { FormRules, TokenRules } from "./token-rules.ts";

type Header = Readonly<Record<string, unknown>>;

const isText = (value: unknown): boolean => typeof value === "string";

/** What the registered parameters must be (RFC 7515 §4.1). A key or address in a header is never used (RFC 8725 §3.10). */
const TYPES: readonly (readonly [name: string, fits: (value: unknown) => boolean])[] = [
  ["typ", isText],
  ["cty", isText],
  ["jku", isText],
  ["x5u", isText],
  ["x5t", isText],
  ["x5t#S256", isText],
  ["x5c", (value) => Array.isArray(value) && value.length > 0 && value.every(isText)],
  ["jwk", (value) => typeof value === "object" && value !== null && !Array.isArray(value)],
  // RFC 7797 §7 keeps unencoded payloads out of JWTs; `true` changes nothing.
  ["b64", (value) => value === true],
  // Compression belongs to encryption, and nothing here ever inflates.
  ["zip", () => false],
];

/** Reads and checks the header segment of a token (RFC 7515 §4, §5.2). The signature is not looked at. */
export function parseHeader(segment: string, rules: FormRules): Readonly<JwtHeader> | JwtError {
  const header = readSegment(segment, rules);
  if (typeof header === "string") return malformed(`header: ${header}`);
  const fault = headerFault(header, rules.strictHeader);
  return fault === undefined ? (header as Readonly<JwtHeader>) : malformed(`header: ${fault}`);
}

/**
 * Reads the header of a token without verifying anything. Header and the form of all three segments are checked.
 * Returns the refusal, and never throws.
 */
export function readHeader(token: unknown, rules: FormRules): Readonly<JwtHeader> | JwtError {
  const segments = split(token, rules);
  if (segments instanceof Error) return segments;
  if (!isDecodable(segments.payload, rules)) return malformed("payload: not canonical base64url");
  if (!isDecodable(segments.token.slice(segments.end + 1), rules))
    return malformed("signature: not canonical base64url");
  const header = readSegment(segments.header, rules);
  if (typeof header === "string") return malformed(`header: ${header}`);
  // What is only shown need not name an algorithm, where that is recorded; nothing is verified by it.
  const nameless = !rules.strictHeader && !Object.hasOwn(header, "alg");
  const fault = headerFault(nameless ? { ...header, alg: "" } : header, rules.strictHeader);
  return fault === undefined ? (header as Readonly<JwtHeader>) : malformed(`header: ${fault}`);
}

/** Reads the claims of a token without verifying anything. Returns the refusal, and never throws. */
export function readUnverifiedClaims(token: unknown, rules: FormRules): Readonly<Record<string, unknown>> | JwtError {
  const segments = split(token, rules);
  if (segments instanceof Error) return segments;
  const claims = readSegment(segments.payload, rules);
  return typeof claims === "string" ? malformed(`payload: ${claims}`) : claims;
}

function headerFault(header: Header, strict: boolean): string | undefined {
  if (!Object.hasOwn(header, "alg") || typeof header.alg !== "string") return "alg is missing or no text";
  if (Object.hasOwn(header, "kid") && typeof header.kid !== "string") return "kid is no text";
  if (Object.hasOwn(header, "crit")) {
    const fault = critFault(header);
    if (fault !== undefined) return fault;
  }
  if (!strict) return Object.hasOwn(header, "b64") && header.b64 === false ? "b64 is false" : undefined;
  for (const [name, fits] of TYPES) {
    if (Object.hasOwn(header, name) && !fits(header[name])) return `${name} is not as it should be`;
  }
  return undefined;
}

/** RFC 7515 §4.1.11. Only `b64` is understood (RFC 7797 §6), and only with the value that changes nothing. */
function critFault(header: Header): string | undefined {
  const { crit } = header;
  if (!Array.isArray(crit) || crit.length === 0) return "crit is no list of names";
  const understood = crit.every((name) => name === "b64") && crit.length === 1;
  return understood && Object.hasOwn(header, "b64") && header.b64 === true
    ? undefined
    : "crit asks for what is not understood";
}

/** The rules that concern the kind of a token. */
export type KindRules = Pick<TokenRules, "typ" | "accessTypOnly">;

/** Why a token of the kind that its header names is not taken. */
export type KindFault = "wrong_token_type" | "token_claim";

/** Judges the kind of token that a header names (RFC 8725 §3.11). */
export function kindFault({ typ }: Readonly<JwtHeader>, rules: KindRules): KindFault | undefined {
  if (rules.accessTypOnly && typeof typ === "string" && isOtherKind(mediaType(typ))) return "wrong_token_type";
  if (rules.typ === undefined) return undefined;
  return typeof typ === "string" && mediaType(typ) === mediaType(rules.typ) ? undefined : "token_claim";
}

/** The refusal of a token of that kind. */
export function refuseKind(fault: KindFault): JwtError {
  const detail = fault === "token_claim" ? "typ is missing or another one" : "typ names another kind of token";
  return refuse(fault, detail);
}

/** Kinds of tokens are told apart by names that end in `+jwt`; that of access tokens is `at+jwt` (RFC 9068 §2.1). */
const isOtherKind = (type: string): boolean => type.endsWith("+jwt") && type !== "at+jwt";

/** A media type without the prefix that may be left out (RFC 7515 §4.1.9); letter case does not count. */
function mediaType(typ: string): string {
  const type = typ.toLowerCase();
  const prefix = "application/";
  return type.startsWith(prefix) && !type.includes("/", prefix.length) ? type.slice(prefix.length) : type;
}
