import type { ReadBody } from "./types.ts";

/** The kinds of body this library can look into. */
export type BodyKind = "json" | "form" | "multipart";

const JSON_TYPE = /^application\/(?:[^\s/;,+]+(?:\+[^\s/;,+]+)*\+)?json$/;

/** What the media type says about a body, whatever its letter case and parameters; `undefined` for all other types. */
export function bodyKind(contentType: string | undefined): BodyKind | undefined {
  if (contentType === undefined) return undefined;
  const end = contentType.indexOf(";");
  const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
  if (type === "application/json" || JSON_TYPE.test(type)) return "json";
  if (type === "application/x-www-form-urlencoded") return "form";
  return type === "multipart/form-data" ? "multipart" : undefined;
}

/** A body that cannot be used, and why. */
export const noBody = (why: Extract<ReadBody, { kind: "none" }>["why"]): ReadBody => ({ kind: "none", why });

const texts = new WeakMap<ReadBody, string>();

/** The text of a JSON body, where it was parsed here: a parsed value does not show which names stood twice in it. */
export const textOf = (body: ReadBody): string | undefined => texts.get(body);

// Strict: wrong UTF-8 must not turn into another text, and a byte order mark is no JSON (RFC 8259 §8.1).
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Parses a body as received. Multipart needs a framework's parser and counts as a foreign type. Never throws. */
export function parseBody(contentType: string | undefined, raw: Uint8Array | string): ReadBody {
  const kind = bodyKind(contentType);
  if (kind === undefined || kind === "multipart") return noBody("type");
  if (raw.length === 0) return noBody("absent");
  try {
    const text = typeof raw === "string" ? raw : utf8.decode(raw);
    if (kind === "json") {
      const body: ReadBody = { kind, value: JSON.parse(text) };
      texts.set(body, text);
      return body;
    }
    const fields = new URLSearchParams(text);
    return { kind, first: (name) => fields.get(name) ?? undefined };
  } catch {
    return noBody("unparsable");
  }
}

/** What a framework's own parser made of a body: a value, an object of fields, or the raw text or bytes. Never throws. */
export function parsedBody(contentType: string | undefined, value: unknown): ReadBody {
  const kind = bodyKind(contentType);
  if (kind === undefined) return noBody("type");
  if (value instanceof Uint8Array) return parseBody(contentType, value);
  if (kind === "json") return { kind, value };
  if (typeof value === "string") return parseBody(contentType, value);
  if (typeof value !== "object" || value === null) return noBody("unparsable");
  return { kind: "form", first: (name) => firstField(value, name) };
}

/** Parsers give text, a list of texts, a `FormData`, or (`@fastify/multipart`) `{ type: "field", value }`. */
function firstField(fields: object, name: string): string | undefined {
  if (typeof FormData !== "undefined" && fields instanceof FormData) return asText(fields.get(name));
  if (!Object.hasOwn(fields, name)) return undefined;
  const found: unknown = (fields as Record<string, unknown>)[name];
  return asText(Array.isArray(found) ? found[0] : found);
}

function asText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  const field = value as { readonly type?: unknown; readonly value?: unknown };
  return field.type === "field" && typeof field.value === "string" ? field.value : undefined;
}

/** The fields of a urlencoded body as frameworks show them: text, or a list of texts where a name is repeated. */
export function formObject(raw: string): Record<string, string | string[]> {
  const fields = new URLSearchParams(raw);
  return Object.fromEntries(
    [...new Set(fields.keys())].map((name) => {
      const values = fields.getAll(name);
      return [name, values.length > 1 ? values : (values[0] ?? "")];
    }),
  );
}
