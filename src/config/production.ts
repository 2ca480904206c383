import type { TokenStore } from "../stores/contract.ts";
import { isSingleProcess } from "../stores/memory.ts";
import type { Behaviour } from "./behaviour.ts";
import type { CookieConfig } from "./cookies.ts";
import type { ResolvedKeys } from "./keys.ts";
import type { JwtOptions } from "./options.ts";

type Options = JwtOptions<unknown, unknown, never>;

/** Whoever verifies what others mint must say for whom those tokens are (RFC 7519 §4.1.3, RFC 8725 §3.9). */
export function audienceFaults(options: Options, behaviour: Behaviour, keys: ResolvedKeys): string[] {
  if (!behaviour.decideAudience) return [];
  const decided = options.audience !== undefined || options.decodeAudience !== undefined;
  const foreign =
    options.loaders?.decodeKey !== undefined ||
    (typeof options.publicKey === "object" && Object.hasOwn(options.publicKey, "keys")) ||
    (options.publicKey !== undefined && !keys.signing && options.loaders?.encodeKey === undefined);
  return foreign && !decided
    ? [
        "audience must be decided where others mint the tokens: name yours, or give audience: false to take tokens meant for anybody.",
      ]
    : [];
}

/** What must not run in production, and what to say about it once at start. */
export function environmentFaults(
  options: Options,
  behaviour: Behaviour,
  cookies: CookieConfig,
  canMint: boolean,
  warnings: string[],
): string[] {
  const env = environment();
  const faults: string[] = [];
  const usesCookies = [options.tokenLocation ?? []].flat().includes("cookies");
  if (!behaviour.strictProduction) {
    const weak = ["access tokens of any type but refresh", "no bound on lifetimes", "tokens without exp"];
    if (usesCookies && !cookies.secure) weak.push("cookies without Secure");
    if (usesCookies && cookies.sameSite === undefined) weak.push("cookies without SameSite");
    warnings.push(
      `compat "flask" is on. It takes, as Flask-JWT-Extended does: ${weak.join("; ")}; and refresh tokens can be used again.`,
    );
  } else if (usesCookies && !cookies.secure && env.NODE_ENV === "production") {
    faults.push("cookieSecure: false sends login cookies in clear text: remove it in production, and serve https.");
  }
  if (behaviour.strictProduction && env.NODE_ENV === "production" && isGuessable(options.secretKey)) {
    faults.push("secretKey can be guessed: make one with `openssl rand -base64 48`, and keep it out of the code.");
  }
  const remembers = canMint || Boolean(options.dpop && options.store);
  if (behaviour.sessions && remembers && options.store !== null && storesInMemory(options.store)) {
    const why = severalProcesses(env);
    if (why !== undefined) {
      faults.push(
        `store: the memory store forgets at a restart and knows nothing of other processes (${why}). Give a shared store, or store: null to live without sessions and revocation, or memoryStore({ singleProcess: true }) if there will only ever be this one process.`,
      );
    }
  }
  return faults;
}

const PLACEHOLDER =
  /change.?(me|this)|your.{0,12}secret|super.?secret|secret.?key|placeholder|example|password|0123456789|abcdefgh/i;

/** Whether a text was typed rather than drawn: a placeholder, or too few different characters (RFC 8725 §3.5). */
export const isGuessable = (secret: unknown): boolean =>
  typeof secret === "string" && (PLACEHOLDER.test(secret) || new Set(secret).size < 10);

const storesInMemory = (store: TokenStore | undefined): boolean =>
  store === undefined || isSingleProcess(store) === false;

const environment = (): Readonly<Record<string, string | undefined>> =>
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env ?? {};

/** How this process may be one of several, or one that is stopped at any time. */
function severalProcesses(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  if (navigator?.userAgent === "Cloudflare-Workers") return "Workers run in many isolates";
  if (env.NODE_ENV === "production") return "NODE_ENV is production";
  if (env.NODE_UNIQUE_ID !== undefined) return "this is a worker of node:cluster";
  if (Number(env.WEB_CONCURRENCY) > 1) return "WEB_CONCURRENCY is above 1";
  // PM2 hands its setting on as it stands: a number, or "max", 0 and -1 for one process a core.
  if (env.instances !== undefined && env.instances !== "1") return "PM2 may run several instances";
  return undefined;
}
