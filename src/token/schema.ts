import { RESERVED_CLAIMS } from "../config/reserved.ts";
import type { StandardSchema } from "../config/schema.ts";
import { raise, UsageError } from "../errors.ts";

type Claims = Readonly<Record<string, unknown>>;
type Read = { readonly ok: true; readonly claims: Claims } | { readonly ok: false; readonly detail: string };

/** Runs a schema over the claims that are not reserved, and lays its output over the reserved ones. */
export function readWithSchema(schema: StandardSchema, claims: Claims, identityClaim: string): Read {
  const reserved: Record<string, unknown> = {};
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(claims)) {
    const side = RESERVED_CLAIMS.has(name) || name === identityClaim ? reserved : own;
    Object.defineProperty(side, name, { value, enumerable: true, writable: true, configurable: true });
  }
  const result = runSchema(schema, own);
  if (result.issues) return { ok: false, detail: result.issues.map(({ message }) => message).join("; ") };
  return { ok: true, claims: Object.freeze({ ...(result.value as object), ...reserved }) };
}

/** Runs a schema, which must answer at once. */
export function runSchema(
  schema: StandardSchema,
  value: unknown,
): { value?: unknown; issues?: ReadonlyArray<{ message: string }> } {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    result.catch(() => {});
    raise(
      new UsageError("claims_invalid", { message: "claimsSchema must be synchronous: give it no async refinements." }),
    );
  }
  return result as { value?: unknown; issues?: ReadonlyArray<{ message: string }> };
}
