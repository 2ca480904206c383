import type { KeptAccounts } from "../accounts/accounts.ts";
import type { User } from "../accounts/users.ts";
import type { JwtOptions } from "../config/options.ts";
import { JWTManager } from "../manager.ts";
import type { TokenStore } from "../stores/contract.ts";
import type { AnyClaims, AuthContext } from "../types.ts";
import { scenes } from "./handler.ts";
import type { Log } from "./log.ts";

/** The role of administrators. */
export const ADMIN = "admin";

export type Manager = JWTManager<User, AnyClaims>;

/** Whether the user may administrate now, whatever the token says. */
export const isAdministrator = ({ user }: AuthContext<User, AnyClaims>): boolean => user.roles.includes(ADMIN);

/** The manager of the server. It tells the log of trouble, and of whom a request speaks for. */
export function createManager(
  options: JwtOptions,
  { loaders }: Pick<KeptAccounts, "loaders">,
  store: TokenStore,
  log: Log,
): Manager {
  const manager: Manager = new JWTManager<User, AnyClaims>({
    // None of the options that variables set has to do with users.
    ...(options as unknown as JwtOptions<User, AnyClaims>),
    store,
    warn: (message) => log.warn(message),
    loaders: {
      additionalClaims: loaders.additionalClaims,
      async userLookup(header, claims) {
        const user = await loaders.userLookup(header, claims);
        speaksFor(user?.id);
        return user;
      },
    },
  });
  manager.on("issued", ({ subject }) => speaksFor(subject));
  manager.on("refreshed", ({ subject }) => speaksFor(subject));
  manager.on("storeDown", ({ detail }) => log.error({ detail }, "the store of sessions does not answer"));
  manager.on("storeBack", () => log.warn("the store of sessions answers again"));
  manager.on("storeForgot", () => log.error("the store had forgotten everything: everybody has to log in again"));
  return manager;
}

function speaksFor(subject: string | undefined): void {
  const scene = scenes.getStore();
  if (scene && subject !== undefined) scene.subject = subject;
}
