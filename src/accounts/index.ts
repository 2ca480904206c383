export { type Accounts, createAccounts, type KeptAccounts, type PluggedIn } from "./accounts.ts";
export { type AddressOf, clientAddresses } from "./address.ts";
export type { AuditEntry, AuditKind, AuditQuery, AuditStore, Logger } from "./audit.ts";
export type { AddedUser } from "./kept.ts";
export { memoryLimits, redisLimits } from "./limit-stores.ts";
export type { Limiter, LimitRule, LimitRules, MakeLimiter } from "./limits.ts";
export { canonicalName, type NameRule } from "./names.ts";
export type { Identified, PluggedAccounts, StoredAccounts } from "./options.ts";
export { type HashCost, MAX_PASSWORD_BYTES, OWASP_COST, type PasswordOptions } from "./passwords.ts";
export type { Activity } from "./sql/audit.ts";
export {
  type AccountTables,
  type AccountTablesOptions,
  type MysqlAccountsOptions,
  mysqlAccounts,
  type PostgresAccountsOptions,
  postgresAccounts,
  type SqliteAccountsOptions,
  sqliteAccounts,
} from "./sql/open.ts";
export type { User, UserChanges, UserRecord, UserStore } from "./users.ts";
