import type { GuardOptions, JwtReply, JwtRequest } from "jwt-extended";
import { requestOf } from "./forge.ts";
import type { AnyManager } from "./harness/types.ts";

/** What a guard made of a neutral request, flattened for comparing. */
export interface Asked {
  readonly status: number;
  readonly code: string | undefined;
  readonly id: string | null | undefined;
  readonly reply: JwtReply | undefined;
  readonly text: string;
}

/** Takes one neutral request through a guard. */
export async function ask(
  manager: AnyManager,
  request: JwtRequest | Parameters<typeof requestOf>[0] = {},
  guard: GuardOptions<never, never> = {},
): Promise<Asked> {
  const neutral = "header" in request ? request : requestOf(request);
  const outcome = await manager.guard(guard as never).check(neutral);
  if (outcome.ok) {
    return { status: 200, code: undefined, id: outcome.auth?.identity, reply: undefined, text: "" };
  }
  const { reply, error } = outcome;
  return { status: reply.status, code: error.code, id: undefined, reply, text: JSON.stringify(reply) };
}

/** Asks with a token in the header. */
export const askToken = (manager: AnyManager, token: string, guard: GuardOptions<never, never> = {}): Promise<Asked> =>
  ask(manager, { headers: [["Authorization", `Bearer ${token}`]] }, guard);

/** The faults of a configuration, joined; "" where it is taken. */
export function faultsOf(make: () => unknown): string {
  try {
    make();
    return "";
  } catch (error) {
    return (error as { faults: readonly string[] }).faults.join("\n");
  }
}

/** The code of an error that a call throws or rejects with; "" where it does neither. */
export async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "";
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
}
