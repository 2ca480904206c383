import type { ResolvedConfig } from "../config/resolve.ts";
import type { Emitter } from "../events.ts";
import type { StoreCalls } from "../sessions/store-calls.ts";
import type { TokenVerifier } from "../token/verify.ts";

/** What every operation on logins works with: the settings, the verifier and the store of one manager. */
export interface Issuer {
  readonly config: ResolvedConfig;
  readonly verifier: TokenVerifier;
  readonly store: StoreCalls | undefined;
  readonly events: Emitter;
}
