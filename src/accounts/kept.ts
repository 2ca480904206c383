import type { LoaderClaims } from "../config/loaders.ts";
import { AccountError, ConfigError, raise } from "../errors.ts";
import type { Route } from "../http/types.ts";
import type { AnyManager } from "../routes/shared.ts";
import { adminRoutes } from "./admin.ts";
import type { Desk } from "./desk.ts";
import { loginRoute } from "./login.ts";
import type { StoredAccounts } from "./options.ts";
import { meRoute, passwordRoute } from "./password.ts";
import type { Passwords } from "./passwords.ts";
import { type Settle, storedPeople } from "./people.ts";
import { assertRoles, type NewUser, newUser, registerRoute } from "./register.ts";
import { type Asking, askingWithin } from "./secrets.ts";
import { shownUser, type User, type UserRecord } from "./users.ts";

/** A user to be added by hand. */
export interface AddedUser extends Omit<NewUser, "roles"> {
  /** @default [] */
  readonly roles?: readonly string[] | undefined;
  /** Adds nobody where somebody who is not disabled has this role: for first administrators. */
  readonly unlessHeld?: string | undefined;
}

/** Milliseconds that loaders wait for the users, before any manager is there to say. */
const PATIENCE = 1_000;

/** Accounts whose users are in a store: ours, or the application's. */
export function keptAccounts(options: StoredAccounts, passwords: Passwords) {
  const { tables, names, newUserRoles, registration = true, adminRole = "admin" } = options;
  const users = options.users ?? tables?.users;
  if (!users) throw new ConfigError(["createAccounts needs users: tables, users, or authenticate."]);
  assertRoles([...(newUserRoles ?? []), ...((newUserRoles ?? []).includes(adminRole) ? [] : [adminRole])]);
  let manager: AnyManager | undefined;
  const ask: Asking = askingWithin(() => manager?.config.storeTimeout ?? PATIENCE);
  /** Who may be let in: nobody whose sessions are still to be ended. */
  const live = async (id: unknown): Promise<UserRecord | undefined> => {
    const user = typeof id === "string" ? await ask(() => users.byId(id)) : undefined;
    return user && !user.disabled && !user.pending ? user : undefined;
  };
  return {
    loaders: {
      async additionalClaims(identity: string): Promise<Readonly<Record<string, unknown>>> {
        const roles = (await ask(() => users.byId(identity)))?.roles ?? [];
        return { [manager?.config.rolesClaim ?? "roles"]: [...roles] };
      },
      async userLookup(_header: unknown, claims: LoaderClaims): Promise<User | undefined> {
        const user = await live(claims[manager?.config.identityClaim ?? "sub"]);
        return user && shownUser(user);
      },
    },
    async addUser({ username, password, roles = [], unlessHeld }: AddedUser): Promise<User> {
      assertRoles(roles);
      const user = await newUser({ username, password, roles }, names, passwords, Date.now())();
      if (!users.add) throw new ConfigError(["the store of users has no add."]);
      return (await users.add(user, unlessHeld)) ? shownUser(user) : raise(new AccountError("username_taken"));
    },
    routes(desk: Desk): readonly Route[] {
      manager = desk.manager;
      const { additionalClaims, userLookup } = manager.config.loaders;
      if (!additionalClaims || !userLookup) {
        throw new ConfigError([
          "the manager must know the users: give it loaders: accounts.loaders, or loaders that call them.",
        ]);
      }
      if (passwords.isCheap)
        desk.manager.config.warn("passwords.cost is below what OWASP asks for: hashes that leak are guessed sooner.");
      const settle: Settle = async ({ id, version }) => {
        await desk.manager.revokeSubject(id);
        await desk.ask(() => users.settle(id, version));
      };
      const { add } = users;
      return [
        ...(registration && add ? [registerRoute(desk, users, add.bind(users), { names, newUserRoles })] : []),
        loginRoute(desk, storedPeople(users, names, passwords, desk.ask, settle)),
        meRoute(desk, users),
        passwordRoute(desk, users, settle),
        ...adminRoutes(desk, users, options.audit ?? tables?.audit, adminRole, settle),
      ];
    },
  };
}
