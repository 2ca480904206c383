import type { ResolvedConfig } from "../config/resolve.ts";
import { AccountError, InvalidRequestError, raise } from "../errors.ts";
import { textOf } from "../http/body.ts";
import type { JwtRequest } from "../http/types.ts";
import { createScratch, writeUtf8 } from "../internal/bytes.ts";
import { survey } from "../internal/member-count.ts";

/** What a field holds: text, text that may be missing, or a list of text. */
type Kind = "text" | "text?" | "texts";
type ValueOf<K extends Kind> = K extends "text" ? string : K extends "texts" ? readonly string[] : string | undefined;
type Fields<Shape extends Readonly<Record<string, Kind>>> = { readonly [Name in keyof Shape]: ValueOf<Shape[Name]> };

/**
 * Reads a JSON object of these fields, and nothing but these: a role, say, cannot be slipped in.
 * @throws InvalidRequestError `unsupported_media_type`; `body_too_large`, before anything is parsed
 * @throws AccountError `body_invalid`, `field_invalid` (naming the field)
 */
export async function readFields<const Shape extends Readonly<Record<string, Kind>>>(
  request: JwtRequest,
  shape: Shape,
  config: ResolvedConfig,
): Promise<Fields<Shape>> {
  const types = request.header("content-type");
  if (types.length !== 1 || !/^application\/json\s*(;|$)/i.test(types[0]?.trim() ?? "")) {
    raise(new InvalidRequestError("unsupported_media_type"));
  }
  const coding = request.header("content-encoding")[0] ?? "identity";
  if (coding.toLowerCase() !== "identity") raise(new InvalidRequestError("unsupported_media_type"));
  const tooLarge = Number(request.header("content-length")[0] ?? 0) > config.maxBodyBytes;
  const body = tooLarge ? ({ kind: "none", why: "too_large" } as const) : await request.body();
  if (body.kind === "none" && body.why === "too_large") return raise(new InvalidRequestError("body_too_large"));
  const value = body.kind === "json" ? body.value : undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return raise(new AccountError("body_invalid"));

  const names = Object.keys(shape);
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of names)
    assertField(name, shape[name] as Kind, Object.hasOwn(fields, name) ? fields[name] : undefined);
  const unknown = Object.keys(fields).filter((name) => !Object.hasOwn(shape, name));
  if (unknown.length > 0) refuse(`The body may have no fields but ${names.map((name) => `"${name}"`).join(", ")}`, []);
  const text = textOf(body);
  // `JSON.parse` keeps the last of a name that stands twice; a proxy may have looked at the first.
  if (text !== undefined && members(text) !== Object.keys(fields).length)
    refuse("A field stands twice in the body", names);
  return fields as Fields<Shape>;
}

function assertField(name: string, kind: Kind, value: unknown): void {
  if (value === undefined && kind === "text?") return;
  if (value === undefined) refuse(`The field "${name}" is missing`, [name]);
  const isText = (one: unknown): boolean => typeof one === "string";
  const fits = kind === "texts" ? Array.isArray(value) && value.every(isText) : isText(value);
  if (!fits) refuse(`The field "${name}" must be ${kind === "texts" ? "a list of text" : "text"}`, [name]);
}

/** Members of all objects in a JSON text, as written. */
function members(text: string): number {
  const scratch = createScratch(text.length * 3);
  return survey(scratch, writeUtf8(scratch.bytes, text, 0)).members;
}

const refuse = (message: string, fields: readonly string[]): never =>
  raise(new AccountError("field_invalid", { message, fields }));

/** One text out of the query of a request; `undefined` where there is none. @throws AccountError `field_invalid` */
export function queryOf(request: JwtRequest, name: string): string | undefined {
  const at = request.url.indexOf("?");
  const values = at < 0 ? [] : new URLSearchParams(request.url.slice(at)).getAll(name);
  const [value] = values;
  if (values.length > 1) refuse(`"${name}" stands twice in the query`, [name]);
  // Databases would refuse a NUL as a fault of their own.
  if (value?.includes("\0")) refuse(`"${name}" must be text`, [name]);
  return value || undefined;
}

/** How many rows a page shows. @throws AccountError `field_invalid` */
export function pageSize(request: JwtRequest): number {
  const given = queryOf(request, "limit") ?? "50";
  const limit = /^\d{1,3}$/.test(given) ? Number(given) : 0;
  return limit >= 1 && limit <= 100 ? limit : refuse('"limit" must be 1 to 100', ["limit"]);
}

/** A segment of the path, counted from its end with -1. */
export function segment(request: JwtRequest, at: number): string {
  return request.url.split(/[?#]/)[0]?.split("/").at(at) ?? "";
}
