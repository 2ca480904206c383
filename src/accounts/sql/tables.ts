import { type RawBuilder, sql } from "kysely";
import { tablesOf } from "../../stores/sql/names.ts";

/** The tables of users, of the audit trail and of limits. */
export interface AccountNames {
  readonly users: RawBuilder<unknown>;
  readonly audit: RawBuilder<unknown>;
  readonly limits: RawBuilder<unknown>;
  readonly migrations: RawBuilder<unknown>;
  /** The plain name of a table or index. */
  nameOf(part: string): string;
}

/** The names under a prefix. @throws ConfigError for anything but a short plain name */
export function accountNames(given: string): AccountNames {
  const { prefix } = tablesOf(given);
  const nameOf = (part: string): string => prefix + part;
  const table = (part: string): RawBuilder<unknown> => sql.id(nameOf(part));
  return {
    users: table("users"),
    audit: table("audit"),
    limits: table("limits"),
    migrations: table("accounts_migrations"),
    nameOf,
  };
}
