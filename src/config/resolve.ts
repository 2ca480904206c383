import { ConfigError, raise, UsageError } from "../errors.ts";
import { parseDuration } from "../internal/duration.ts";
import type { TokenStore } from "../stores/contract.ts";
import { memoryStore } from "../stores/memory.ts";
import type { Duration, JwtLocation, TokenType } from "../types.ts";
import { type Behaviour, FLASK, OURS } from "./behaviour.ts";
import { checkOptions } from "./checks.ts";
import { type CookieConfig, type KindNames, resolveCookies, resolveKind } from "./cookies.ts";
import { FLASK_DEFAULTS, OUR_DEFAULTS } from "./defaults.ts";
import { type DpopConfig, resolveDpop } from "./dpop.ts";
import { type ResolvedKeys, resolveKeys } from "./keys.ts";
import type { Loaders } from "./loaders.ts";
import type { CsrfMode, JwtOptions, VerifyCacheOptions } from "./options.ts";
import { audienceFaults, environmentFaults } from "./production.ts";
import type { StandardSchema } from "./schema.ts";

/** The lifetimes of one kind of token, in seconds; `false` is never, for `max` no bound. */
export interface Lifetime {
  readonly expires: number | false;
  readonly max: number | false;
}

/** The options of a manager, checked, completed and frozen. Times are seconds unless said otherwise. */
export interface ResolvedConfig {
  readonly behaviour: Behaviour;
  readonly loaders: Loaders<unknown, never>;
  /** Milliseconds. */
  readonly clock: () => number;
  readonly warn: (message: string) => void;
  readonly keys: ResolvedKeys;
  /** Whether this service makes tokens; else it only reads those of others. */
  readonly mintsTokens: boolean;
  readonly lifetimes: Readonly<Record<TokenType, Lifetime>>;
  /** Milliseconds. */
  readonly grace: number;
  readonly names: Readonly<Record<TokenType, KindNames>>;
  readonly cookies: CookieConfig;
  readonly locations: readonly JwtLocation[];
  readonly headerName: string;
  /** `headerName` in lower case, to look up. */
  readonly tokenHeader: string;
  readonly headerType: string;
  readonly queryStringName: string;
  readonly queryStringValuePrefix: string;
  readonly maxBodyBytes: number;
  readonly csrf: {
    readonly protect: boolean;
    readonly mode: CsrfMode;
    readonly trustedOrigins: readonly string[];
    readonly publicOrigin: string | undefined;
    /** `undefined`: every method but GET, HEAD and OPTIONS. */
    readonly methods: readonly string[] | undefined;
    readonly checkForm: boolean;
    readonly inCookies: boolean;
  };
  /** `undefined`: no token can be bound to a key. */
  readonly dpop: DpopConfig | undefined;
  readonly encodeAudience: string | readonly string[] | undefined;
  /** `false`: unchecked; `undefined`: a token must not have one. */
  readonly decodeAudience: readonly string[] | false | undefined;
  readonly encodeIssuer: string | undefined;
  readonly decodeIssuer: readonly string[] | undefined;
  readonly leeway: number;
  readonly encodeNbf: boolean;
  readonly identityClaim: string;
  readonly verifySub: boolean;
  readonly requireJti: boolean;
  readonly scopeClaim: string;
  readonly rolesClaim: string;
  readonly claimsSchema: StandardSchema | undefined;
  readonly errorMessageKey: string;
  readonly store: TokenStore | null;
  readonly onStoreError: "deny" | "allow";
  /** Milliseconds. */
  readonly storeTimeout: number;
  readonly verifyCache: { readonly entries: number; readonly bytes: number } | false;
  readonly ambientContext: boolean;
  readonly implicitRefresh: boolean;
}

/**
 * Checks and completes the options of a manager.
 * @throws ConfigError with every fault at once, each with the sentence that mends it.
 */
export function resolveConfig(given: JwtOptions<never, never, never>): ResolvedConfig {
  const behaviour = given?.compat === "flask" ? FLASK : OURS;
  const single = checkOptions((given ?? {}) as Record<string, unknown>, behaviour);
  const faults = [...single.values()];
  // What follows leans on single values being right: those that are not count as not given, so that all faults show.
  const sound = Object.entries(given ?? {}).filter(([name]) => !single.has(name));
  const options = Object.fromEntries(sound) as JwtOptions<unknown, unknown, never>;
  const warnings: string[] = [];
  const values: Record<string, unknown> = { ...(behaviour === FLASK ? FLASK_DEFAULTS : OUR_DEFAULTS) };
  for (const [name, value] of Object.entries(options)) if (value !== undefined) values[name] = value;
  const value = <T>(name: keyof JwtOptions): T => values[name] as T;

  const loaders = Object.freeze({ ...options.loaders }) as Loaders<unknown, never>;
  const keys = resolveKeys(options, behaviour, loaders, faults, warnings);
  const cookies = resolveCookies(values, behaviour, faults);
  const names = Object.freeze({
    access: resolveKind("access", values, cookies, behaviour, faults),
    refresh: resolveKind("refresh", values, cookies, behaviour, faults),
  });
  const lifetimes = Object.freeze({
    access: lifetime("access", values, behaviour, faults),
    refresh: lifetime("refresh", values, behaviour, faults),
  });
  if (behaviour.boundLifetimes && (lifetimes.access.expires || Infinity) > (lifetimes.refresh.expires || Infinity)) {
    faults.push(
      "accessTokenExpires is longer than refreshTokenExpires: an access token should be the short-lived one.",
    );
  }
  if (names.access.cookieName === names.refresh.cookieName) {
    faults.push("accessCookieName and refreshCookieName must differ, or one login cookie overwrites the other.");
  }
  const audience = options.audience;
  const decodeAudience = listed(options.decodeAudience ?? audience);
  const encodeAudience = options.encodeAudience ?? (audience === false ? undefined : audience);
  faults.push(...audienceFaults(options, behaviour, keys));
  const clock = checkedClock(options.clock ?? (() => Date.now()));
  const canMint = keys.signing !== undefined || loaders.encodeKey !== undefined;
  faults.push(...environmentFaults(options, behaviour, cookies, canMint, warnings));
  if (value("implicitRefresh") && (options.store === null || !behaviour.sessions || !canMint)) {
    faults.push("implicitRefresh needs sessions, and so a store and a key that signs: remove it, or store: null.");
  }
  const store = options.store === undefined ? defaultStore(behaviour, canMint, clock) : options.store;
  const locations = Object.freeze([value<JwtLocation | JwtLocation[]>("tokenLocation")].flat());
  const headerType = value<string>("headerType");
  const { publicOrigin } = options;
  const dpop = resolveDpop(options.dpop, { behaviour, publicOrigin, store, locations, headerType }, faults);
  if (faults.length > 0) throw new ConfigError(faults);
  const say = options.warn ?? console.warn;
  const warn = (message: string): void => say(`jwt-extended: ${message}`);
  warnings.forEach(warn);

  const issuer = options.issuer;
  return Object.freeze<ResolvedConfig>({
    behaviour,
    loaders,
    clock,
    warn,
    keys: Object.freeze(keys),
    mintsTokens: canMint,
    lifetimes,
    grace: seconds(value<Duration>("grace")) * 1000,
    names,
    cookies,
    locations,
    headerName: value("headerName"),
    tokenHeader: value<string>("headerName").toLowerCase(),
    headerType,
    queryStringName: value("queryStringName"),
    queryStringValuePrefix: value("queryStringValuePrefix"),
    maxBodyBytes: value("maxBodyBytes"),
    csrf: Object.freeze({
      protect: value<boolean>("cookieCsrfProtect"),
      mode: value<CsrfMode>("csrfMode"),
      trustedOrigins: Object.freeze([...value<string[]>("trustedOrigins")]),
      publicOrigin,
      methods: value<string[] | undefined>("csrfMethods")?.map((name) => name.toUpperCase()),
      checkForm: value<boolean>("csrfCheckForm"),
      inCookies: value<boolean>("csrfInCookies"),
    }),
    dpop,
    encodeAudience: isEmpty(encodeAudience) ? undefined : encodeAudience,
    decodeAudience,
    encodeIssuer: options.encodeIssuer ?? [issuer ?? []].flat()[0],
    decodeIssuer: listed(options.decodeIssuer ?? issuer) || undefined,
    leeway: value("leeway"),
    encodeNbf: value("encodeNbf"),
    identityClaim: value("identityClaim"),
    verifySub: value("verifySub"),
    // Without a store nothing is revoked, and those who mint for others may leave it out.
    requireJti: options.requireJti ?? (behaviour.requireJti && (canMint || Boolean(options.store))),
    scopeClaim: value("scopeClaim"),
    rolesClaim: value("rolesClaim"),
    claimsSchema: options.claimsSchema as StandardSchema | undefined,
    errorMessageKey: value("errorMessageKey"),
    store,
    onStoreError: value("onStoreError"),
    storeTimeout: seconds(value<Duration>("storeTimeout")) * 1000,
    verifyCache: cacheLimits(value("verifyCache")),
    ambientContext: value("ambientContext"),
    implicitRefresh: value("implicitRefresh"),
  });
}

function cacheLimits(given: VerifyCacheOptions | boolean): ResolvedConfig["verifyCache"] {
  if (given === false) return false;
  const { entries = 1_000, bytes = 4_194_304 } = given === true ? {} : given;
  return Object.freeze({ entries, bytes });
}

const seconds = (given: Duration): number => parseDuration(given) ?? Number.NaN;
const isEmpty = (given: string | readonly string[] | undefined): boolean => given === undefined || given.length === 0;

function listed(given: string | readonly string[] | false | undefined): readonly string[] | false | undefined {
  if (given === undefined || given === false) return given;
  return Object.freeze([given].flat());
}

/** A clock that is out of order must not let an expired token pass: no number compares with NaN. */
function checkedClock(clock: () => number): () => number {
  return () => {
    const now = clock();
    if (Number.isFinite(now)) return now;
    return raise(new UsageError("clock_invalid", { message: "The clock of the manager must give milliseconds." }));
  };
}

function defaultStore(behaviour: Behaviour, canMint: boolean, clock: () => number): TokenStore | null {
  // Who only verifies what others mint has nothing to open or end.
  return behaviour.sessions && canMint ? memoryStore({ clock }) : null;
}

function lifetime(type: TokenType, values: Record<string, unknown>, behaviour: Behaviour, faults: string[]): Lifetime {
  const [option, bound] =
    type === "access" ? ["accessTokenExpires", "maxAccessLifetime"] : ["refreshTokenExpires", "maxRefreshLifetime"];
  const read = (name: string): number | false => {
    const given = values[name] as Duration | false;
    return given === false ? false : seconds(given);
  };
  const max = behaviour.boundLifetimes ? read(bound as string) : false;
  const expires = read(option as string);
  if (max !== false && (expires === false || expires > max)) {
    faults.push(
      `${option} is longer than ${bound}: shorten it, or raise ${bound} (false removes the bound, and revocations of such tokens are kept for ever).`,
    );
  }
  return Object.freeze({ expires, max });
}
