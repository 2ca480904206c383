import type { JwtError } from "../errors.ts";
import { decodedLength, decodeInto, stripPadding } from "../internal/base64url.ts";
import { createScratch, type Scratch } from "../internal/bytes.ts";
import { parseObject } from "../internal/strict-json.ts";
import { indexOf, isLatin1, slice } from "../internal/text.ts";
import { malformed } from "./refusals.ts";
import type { FormRules } from "./token-rules.ts";

/** The three segments of a token as they stand in it (RFC 7515 §7.1). */
export interface Segments {
  readonly header: string;
  readonly payload: string;
  /** The whole token; its signature without padding, where padding is tolerated. */
  readonly token: string;
  /** Where the signing input ends: at the second dot. */
  readonly end: number;
}

/** Segments are decoded one after another and never kept, so they share their memory. */
const scratch = createScratch(8 * 1024);

/** Splits a token of Latin-1 characters into exactly three segments; more is not seen to. */
export function split(token: unknown, rules: FormRules): Segments | JwtError {
  if (typeof token !== "string") return malformed("the token is no text");
  if (token.length > rules.maxBytes) return malformed("the token is too long");
  // What follows writes characters as bytes, where a character above would pass for another one.
  if (!isLatin1(token)) return malformed("the token holds foreign characters");
  const first = indexOf(token, ".");
  const second = indexOf(token, ".", first + 1);
  if (first < 1 || second < 0 || indexOf(token, ".", second + 1) >= 0)
    return malformed("the token has not three parts");
  return {
    header: slice(token, 0, first),
    payload: slice(token, first + 1, second),
    token: rules.paddedBase64 ? token.slice(0, second + 1) + stripPadding(token.slice(second + 1)) : token,
    end: second,
  };
}

/** Whether a segment is canonical base64url. */
export function isDecodable(segment: string, rules: FormRules): boolean {
  const text = rules.paddedBase64 ? stripPadding(segment) : segment;
  return decodeInto(roomFor(text).bytes, text) >= 0;
}

/** Reads a segment as one frozen JSON object. Returns a reason, never input, if it is none. */
export function readSegment(segment: string, rules: FormRules): Readonly<Record<string, unknown>> | string {
  const text = rules.paddedBase64 ? stripPadding(segment) : segment;
  const room = roomFor(text);
  const length = decodeInto(room.bytes, text);
  if (length < 0) return "not canonical base64url";
  return parseObject(room, length, rules);
}

function roomFor(text: string): Scratch {
  const length = decodedLength(text.length);
  return length <= scratch.bytes.length ? scratch : createScratch(length);
}
