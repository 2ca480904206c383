import { charCodeAt } from "../internal/text.ts";

/** Attributes of a cookie to set (RFC 6265 §4.1). */
export interface CookieAttributes {
  readonly path: string;
  readonly domain?: string | undefined;
  /** Seconds; 0 or less clears the cookie. */
  readonly maxAge?: number | undefined;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite?: string | undefined;
}

/** Browsers drop a cookie whose name and value together are longer than this many bytes (RFC 6265bis §5.7). */
export const MAX_COOKIE_BYTES = 4096;

/** A `Set-Cookie` line. Name, value and attributes must already be free of `;` and control characters. */
export function serializeCookie(name: string, value: string, attributes: CookieAttributes): string {
  let line = `${name}=${value}; Path=${attributes.path}`;
  if (attributes.domain !== undefined) line += `; Domain=${attributes.domain}`;
  if (attributes.maxAge !== undefined) {
    line +=
      attributes.maxAge > 0 ? `; Max-Age=${attributes.maxAge}` : "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
  }
  if (attributes.httpOnly) line += "; HttpOnly";
  if (attributes.secure) line += "; Secure";
  if (attributes.sameSite !== undefined) line += `; SameSite=${attributes.sameSite}`;
  return line;
}

/**
 * All values of one cookie in the lines of the `Cookie` header, in order, as sent: no decoding, no quotes taken off.
 * The name is compared with case. Linear in the header, and nothing but the wanted values is copied.
 */
export function cookieValues(lines: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (const line of lines) {
    let start = 0;
    while (start < line.length) {
      let end = line.indexOf(";", start);
      if (end < 0) end = line.length;
      while (start < end && isBlank(line, start)) start++;
      const equals = start + name.length;
      if (equals < end && charCodeAt(line, equals) === EQUALS && line.startsWith(name, start)) {
        values.push(line.slice(equals + 1, end).trim());
      }
      start = end + 1;
    }
  }
  return values;
}

const [TAB, SPACE, EQUALS] = [9, 32, 61];

function isBlank(line: string, at: number): boolean {
  const code = charCodeAt(line, at);
  return code === SPACE || code === TAB;
}
