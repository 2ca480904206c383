import type { LoaderClaims } from "../config/loaders.ts";
import type { Route } from "../http/types.ts";
import { jwtRoutes } from "../routes/index.ts";
import type { AnyManager } from "../routes/shared.ts";
import { type AddressOf, clientAddresses } from "./address.ts";
import { createRecorder } from "./audit.ts";
import type { Desk } from "./desk.ts";
import { createDevices } from "./device.ts";
import { type AddedUser, keptAccounts } from "./kept.ts";
import { memoryLimits } from "./limit-stores.ts";
import { createLimits } from "./limits.ts";
import { loginRoute } from "./login.ts";
import type { Identified, PluggedAccounts, StoredAccounts } from "./options.ts";
import { meRoute } from "./password.ts";
import { createPasswords, type Passwords } from "./passwords.ts";
import { pluggedPeople } from "./people.ts";
import { askingWithin, keyedBy } from "./secrets.ts";
import { createTrail } from "./trail.ts";
import type { User } from "./users.ts";

/** The routes of accounts. */
export interface Accounts {
  /**
   * All routes of accounts and of their sessions, for any adapter to mount in one line.
   * @throws ConfigError for a manager that has no store, or lacks the loaders
   */
  routes(manager: AnyManager): readonly Route[];
}

/** Accounts whose users are in our tables, or in a store of your own. */
export interface KeptAccounts extends Accounts {
  /** For the manager: they put roles into tokens, load the user of each request, and let nobody in who is disabled. */
  readonly loaders: {
    additionalClaims(identity: string): Promise<Readonly<Record<string, unknown>>>;
    userLookup(header: unknown, claims: LoaderClaims): Promise<User | undefined>;
  };
  /**
   * Adds a user by hand, by the rules of a registration; roles can be given. Of two at once with `unlessHeld` one wins.
   * @throws AccountError `username_taken`, also where the role is held; `username_invalid`, `password_common`, …
   */
  addUser(user: AddedUser): Promise<User>;
}

/** Accounts over the two functions of Flask-JWT. */
export interface PluggedIn<Plugged> extends Accounts {
  /** For the manager: `userLookup` is `identity`. */
  readonly loaders: { userLookup?(header: unknown, claims: LoaderClaims): Promise<Plugged | null | undefined> };
}

/**
 * Accounts as neutral routes over a manager: register, login, refresh, logout, me, sessions, change of the password, and
 * what administrators need. Users come by `tables` (ours), by `users` (a store of your own), or by Flask-JWT's
 * `authenticate` and `identity`.
 *
 * @example
 * const accounts = createAccounts({ tables: sqliteAccounts({ database: new Database("accounts.db") }) });
 * const jwt = new JWTManager({ secretKey, store, loaders: accounts.loaders });
 * app.use("/auth", expressJwt(jwt).mount(accounts.routes(jwt)));
 *
 * @throws ConfigError for options that cannot work
 */
export function createAccounts(options: StoredAccounts): KeptAccounts;
export function createAccounts<Plugged extends Identified>(options: PluggedAccounts<Plugged>): PluggedIn<Plugged>;
export function createAccounts(options: StoredAccounts | PluggedAccounts<Identified>): Accounts {
  const passwords = createPasswords(options.passwords ?? {});
  const addressOf = options.address ?? clientAddresses(options.trustedProxies);
  const { routes: ownRoutes, ...own } =
    "authenticate" in options ? pluggedAccounts(options, passwords) : keptAccounts(options, passwords);
  const served = new WeakMap<AnyManager, readonly Route[]>();
  return {
    ...own,
    routes(manager) {
      // The events of a manager are heard once, however often it is asked for.
      const known = served.get(manager);
      if (known) return known;
      const ready = jwtRoutes(manager, { address: addressOf });
      const desk = deskOf(manager, options, passwords, addressOf);
      const routes = [...ownRoutes(desk), ...ready].map((route) => desk.trail.watched(route));
      served.set(manager, routes);
      return routes;
    },
  };
}

function pluggedAccounts({ authenticate, identity }: PluggedAccounts<Identified>, passwords: Passwords) {
  const userLookup = async (_header: unknown, claims: LoaderClaims) => identity?.(claims);
  return {
    loaders: identity ? { userLookup } : {},
    routes: (desk: Desk): readonly Route[] => [
      loginRoute(desk, pluggedPeople(authenticate, passwords)),
      meRoute(desk, undefined),
    ],
  };
}

function deskOf(
  manager: AnyManager,
  options: StoredAccounts | PluggedAccounts<Identified>,
  passwords: Passwords,
  addressOf: AddressOf,
): Desk {
  const tables = "tables" in options ? options.tables : undefined;
  const { audit = tables?.audit, limits = tables?.limits ?? memoryLimits, limitRules = {}, logger } = options;
  const ask = askingWithin(() => manager.config.storeTimeout);
  const keyed = keyedBy(manager, ask);
  const recorder = createRecorder(audit, logger, { addressOf, keyed, ask, clock: manager.config.clock });
  return {
    manager,
    passwords,
    addressOf,
    ask,
    limits: createLimits(limits, limitRules, keyed, ask),
    devices: createDevices(manager, keyed),
    trail: createTrail(manager, recorder, ask),
  };
}
