import { Refusal } from "./refusal.ts";

/** What a client sends to register or to log in. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const FIELDS = ["username", "password"];
const STRING = /"(?:[^"\\]|\\.)*"/g;

/**
 * Reads `{"username": text, "password": text}`, and nothing but that: a role, say, cannot be slipped in.
 * @throws Refusal for anything else.
 */
export function readCredentials(bytes: unknown): Credentials {
  const text = textOf(bytes);
  const body = parse(text);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Refusal(400, "body_not_object", "The body must be a JSON object");
  }
  for (const field of FIELDS) {
    if (!Object.hasOwn(body, field)) throw new Refusal(400, "field_missing", `The field "${field}" is missing`);
    if (typeof body[field] !== "string") throw new Refusal(400, "field_type", `The field "${field}" must be text`);
  }
  if (Object.keys(body).length !== FIELDS.length) {
    throw new Refusal(400, "field_unknown", 'The body may have no fields but "username" and "password"');
  }
  // Two names and two values are four strings. `JSON.parse` keeps the last of a name that stands twice, proxies perhaps the first.
  if (text.match(STRING)?.length !== 2 * FIELDS.length) {
    throw new Refusal(400, "field_duplicate", "A field stands twice in the body");
  }
  return { username: body.username as string, password: body.password as string };
}

/** The one form under which a name is stored and searched; `undefined` for what is no name. Nothing but ASCII: no look-alikes. */
export function canonicalName(username: string): string | undefined {
  return /^[A-Za-z0-9._-]{3,32}$/.test(username) ? username.toLowerCase() : undefined;
}

function textOf(bytes: unknown): string {
  try {
    // JSON is UTF-8 without a byte order mark (RFC 8259 §8.1), whatever else the request may claim.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes instanceof Uint8Array ? bytes : undefined,
    );
  } catch {
    throw malformed();
  }
}

function parse(text: string): Record<string, unknown> | unknown[] | string | number | boolean | null {
  try {
    return JSON.parse(text);
  } catch {
    // The error of the parser quotes the body, and with it perhaps a password: it ends here.
    throw malformed();
  }
}

const malformed = (): Refusal => new Refusal(400, "malformed_json", "The body must be JSON in UTF-8");
