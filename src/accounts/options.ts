import type { MaybePromise } from "../types.ts";
import type { AddressOf } from "./address.ts";
import type { AuditStore, Logger } from "./audit.ts";
import type { LimitRules, MakeLimiter } from "./limits.ts";
import type { NameRule } from "./names.ts";
import type { PasswordOptions } from "./passwords.ts";
import type { AccountTables } from "./sql/open.ts";
import type { UserStore } from "./users.ts";

/** What every kind of accounts can be given. */
export interface AccountsBasics {
  /** Where the trail is kept. @default that of `tables`, else the logger alone hears of it */
  readonly audit?: AuditStore | undefined;
  /** Hears of every entry of the trail. Its shape is that of pino. @default none */
  readonly logger?: Logger | undefined;
  /** Where attempts are counted. @default that of `tables`, else the memory of this process */
  readonly limits?: MakeLimiter | undefined;
  /** Other points and durations for some of the buckets. */
  readonly limitRules?: LimitRules | undefined;
  /**
   * Addresses and networks of the proxies in front, such as `"10.0.0.0/8"`: their `X-Forwarded-For` is believed.
   * @default none: the address is that of the connection
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** The address of a client, where neither the connection nor `X-Forwarded-For` tells it. Only a keyed hash of it is kept. */
  readonly address?: AddressOf | undefined;
  /** The role of administrators. @default "admin" */
  readonly adminRole?: string | undefined;
  /** How passwords are judged and hashed. */
  readonly passwords?: PasswordOptions | undefined;
}

/** Users in tables of ours, or in those of a `UserStore` of your own. */
export interface StoredAccounts extends AccountsBasics {
  /** What `sqliteAccounts` or `postgresAccounts` gives. */
  readonly tables?: AccountTables | undefined;
  /** Users in a table of your own. @default those of `tables` */
  readonly users?: UserStore | undefined;
  /** What user names may look like. @default "ascii" */
  readonly names?: NameRule | undefined;
  /** The roles of whoever registers. @default [] */
  readonly newUserRoles?: readonly string[] | undefined;
  /** Whether anybody may register. @default true */
  readonly registration?: boolean | undefined;
}

/** A user whom `authenticate` gives. */
export interface Identified {
  readonly id: string | number;
}

/** The two functions of Flask-JWT. There is no registration then, no change of passwords and no administration of users. */
export interface PluggedAccounts<Plugged extends Identified> extends AccountsBasics {
  /** The user of a name and a password, nobody where they are wrong. It must take as long for unknown names. */
  readonly authenticate: (username: string, password: string) => MaybePromise<Plugged | null | undefined | false>;
  /** The user of a token's claims. @default the claims are believed, and no user is loaded */
  readonly identity?: ((payload: { readonly sub: string }) => MaybePromise<Plugged | null | undefined>) | undefined;
}
