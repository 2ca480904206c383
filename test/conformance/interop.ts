import { fromFlaskConfig, isJwtError, JWTManager } from "jwt-extended";
import { type InteropToken, type KeyReader, resolveConfig } from "./format.ts";
import type { Outcome } from "./runner.ts";
import { equalJson, short } from "./values.ts";

/** Hands a token of the recorded service to `decodeToken` (SPEC, section 8). */
export async function runInterop(entry: InteropToken, key: KeyReader): Promise<Outcome> {
  return { id: `interop.${entry.id}`, faults: await faultsOf(entry, key) };
}

async function faultsOf({ at, config, token, expect }: InteropToken, key: KeyReader): Promise<string[]> {
  try {
    const manager = new JWTManager({
      ...fromFlaskConfig(resolveConfig(config, key)),
      clock: () => at * 1000,
      warn: () => {},
    });
    let claims: unknown;
    try {
      claims = await manager.decodeToken(token);
    } catch (error) {
      if (expect.ok) return [`expected ${short(expect.claims)}, got ${String(error)}`];
      return isJwtError(error) && error.status < 500 ? [] : [`expected a refusal, got ${String(error)}`];
    }
    if (!expect.ok) return [`expected a refusal, got ${short(claims)}`];
    const header = manager.getUnverifiedHeader(token);
    const faults: string[] = [];
    if (!equalJson(expect.claims, claims))
      faults.push(`claims: expected ${short(expect.claims)}, got ${short(claims)}`);
    if (!equalJson(expect.header, header))
      faults.push(`header: expected ${short(expect.header)}, got ${short(header)}`);
    return faults;
  } catch (error) {
    return [`unexpected: ${String(error)}`];
  }
}
