import type { Json, JsonObject } from "./format.ts";

/** A copy in which every text (and every name) went through `change`. `__proto__` stays an own member. */
export function mapText<T>(value: T, change: (text: string) => string): T {
  if (typeof value === "string") return change(value) as T;
  if (Array.isArray(value)) return value.map((item) => mapText(item, change)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [change(name), mapText(item as unknown, change)]),
  ) as T;
}

/** A copy without the members of this name, at any depth. */
export function without<T>(value: T, name: string): T {
  if (Array.isArray(value)) return value.map((item) => without(item, name)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== name)
      .map(([key, item]) => [key, without(item as unknown, name)]),
  ) as T;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own member, null where it is missing. */
export function member(holder: object, name: string): Json {
  return Object.hasOwn(holder, name) ? ((holder as Record<string, Json>)[name] ?? null) : null;
}

/** Deep comparison of JSON values; `same` may settle a pair of leaves by itself. */
export function equalJson(want: Json, got: unknown, same?: (want: Json, got: unknown) => boolean): boolean {
  if (same?.(want, got)) return true;
  if (Array.isArray(want)) {
    return Array.isArray(got) && got.length === want.length && want.every((item, i) => equalJson(item, got[i], same));
  }
  if (isObject(want)) {
    if (!isObject(got)) return false;
    const names = Object.keys(want);
    return (
      names.length === Object.keys(got).length &&
      names.every((name) => Object.hasOwn(got, name) && equalJson(want[name] ?? null, got[name], same))
    );
  }
  return want === got;
}

/** Cuts a text for a report. */
export function short(value: unknown, length = 300): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
