import type { ExpectedCookie } from "./format.ts";

/** A `Set-Cookie` line, taken apart. */
export interface SentCookie {
  readonly name: string;
  readonly value: string;
  /** By lower-case name; a flag has the value `true`. */
  readonly attributes: ReadonlyMap<string, string | true>;
  /** An attribute stands twice in the line. */
  readonly doubled: boolean;
}

export function parseSetCookie(line: string): SentCookie {
  const [pair = "", ...parts] = line.split(";");
  const cut = pair.indexOf("=");
  const attributes = new Map<string, string | true>();
  for (const part of parts) {
    const at = part.indexOf("=");
    const name = (at < 0 ? part : part.slice(0, at)).trim().toLowerCase();
    attributes.set(name, at < 0 ? true : part.slice(at + 1).trim());
  }
  return {
    name: cut < 0 ? "" : pair.slice(0, cut).trim(),
    value: cut < 0 ? pair.trim() : pair.slice(cut + 1).trim(),
    attributes,
    doubled: attributes.size !== parts.length,
  };
}

const EPOCH_TOLERANCE = 1000;
const isEpoch = (text: unknown): boolean => typeof text === "string" && Math.abs(Date.parse(text)) <= EPOCH_TOLERANCE;
const bare = (domain: unknown): unknown => (typeof domain === "string" ? domain.replace(/^\./, "") : domain);
const folded = (text: unknown): unknown => (typeof text === "string" ? text.toLowerCase() : text);

/** Compares by SPEC, section 4.2. */
function sameCookie(want: ExpectedCookie, got: SentCookie): boolean {
  if (want.name !== got.name || want.value !== got.value || got.doubled) return false;
  const sent = new Map(got.attributes);
  const take = (name: string): string | true | undefined => {
    const value = sent.get(name);
    sent.delete(name);
    return value;
  };
  if (take("path") !== want.path) return false;
  if (bare(take("domain")) !== bare(want.domain)) return false;
  if (folded(take("samesite")) !== folded(want.samesite)) return false;
  if (take("secure") !== want.secure || take("httponly") !== want.httponly) return false;
  const maxAge = take("max-age");
  const expires = take("expires");
  // Nothing else may stand in the line.
  if (sent.size > 0) return false;

  if (want.value === "" && want.expires !== undefined && isEpoch(want.expires)) {
    if (maxAge === undefined && expires === undefined) return false;
    return (maxAge === undefined || maxAge === "0") && (expires === undefined || isEpoch(expires));
  }
  if (want.max_age !== undefined) return maxAge === String(want.max_age);
  return maxAge === undefined && expires === want.expires;
}

/** What is wrong with the cookies of an answer; `undefined` when they are as expected, in any order. */
export function cookieFault(want: readonly ExpectedCookie[], lines: readonly string[]): string | undefined {
  const left = lines.map(parseSetCookie);
  const missing = want.filter((cookie) => {
    const at = left.findIndex((sent) => sameCookie(cookie, sent));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  if (missing.length === 0 && left.length === 0) return undefined;
  return `cookies: expected ${JSON.stringify(want)}, got ${JSON.stringify(lines)}`;
}
