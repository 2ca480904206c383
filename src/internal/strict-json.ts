import { readLatin1, type Scratch } from "./bytes.ts";
import { freezeDeep } from "./freeze.ts";
import { quickSurvey, survey } from "./member-count.ts";

/** What counts as well-formed beyond RFC 8259. */
export interface JsonRules {
  /** Repeated member names: the last one wins. Otherwise they are refused, at every level. */
  readonly lastNameWins: boolean;
  /** Objects and arrays nested deeper than this are refused; the outermost object is level 1. Default 32. */
  readonly maxDepth?: number | undefined;
}

const DEFAULT_DEPTH = 32;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the first `length` bytes as one JSON object in strict UTF-8 without a byte order mark, and freezes it to its last level.
 * A member called `__proto__` stays data. Linear in `length`. Returns a short reason, never input, for anything else.
 */
export function parseObject(
  text: Scratch,
  length: number,
  rules: JsonRules,
): Readonly<Record<string, unknown>> | string {
  const bound = quickSurvey(text, length);
  if (bound >= 0) {
    const value = parse(readLatin1(text.bytes, 0, length));
    if (typeof value === "string") return value;
    // No more members were written than the object has, so none was written twice.
    if (Object.keys(value).length === bound) return Object.freeze(value);
  }

  const { ascii, depth, members } = survey(text, length);
  if (depth > (rules.maxDepth ?? DEFAULT_DEPTH)) return "nested too deep";
  const decoded = ascii ? readLatin1(text.bytes, 0, length) : decodeUtf8(text.bytes.subarray(0, length));
  const value = decoded === undefined ? "not strict UTF-8" : parse(decoded);
  if (typeof value === "string") return value;
  return freezeDeep(value) === members || rules.lastNameWins ? value : "a member name is repeated";
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** An own, unfrozen object, or the reason why there is none. */
function parse(json: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    return "not a JSON object";
  } catch {
    return "not strict JSON";
  }
}
