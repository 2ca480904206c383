import { type RawBuilder, sql } from "kysely";
import { ConfigError } from "../../errors.ts";

/** The tables of one store. */
export interface Tables {
  readonly prefix: string;
  /** One row: the generation of the store, what it remembers of limits, the secret for addresses. */
  readonly meta: RawBuilder<unknown>;
  readonly sessions: RawBuilder<unknown>;
  /** Live revocations of tokens, sessions and keys. */
  readonly flags: RawBuilder<unknown>;
  /** Revocations of subjects and of everything, as a moment before which all is dead. */
  readonly epochs: RawBuilder<unknown>;
  /** Names that may be taken once only. */
  readonly spent: RawBuilder<unknown>;
  /** The last revocations, numbered. */
  readonly feed: RawBuilder<unknown>;
  /** One row, written by those who ask where the feed stands: a server that cannot write is no primary. */
  readonly pulse: RawBuilder<unknown>;
  readonly migrations: RawBuilder<unknown>;
}

/**
 * The names under a prefix. It goes into statements that no parameter can carry, and PostgreSQL cuts names at 63 bytes.
 * @throws ConfigError for anything but a short plain name
 */
export function tablesOf(prefix: string): Tables {
  if (typeof prefix !== "string" || !/^[a-z][a-z0-9_]{0,31}$/.test(prefix)) {
    const fault = "tablePrefix must begin with a letter and hold at most 32 of a-z, 0-9 and _, such as jx_.";
    throw new ConfigError([fault]);
  }
  const table = (name: string): RawBuilder<unknown> => sql.id(prefix + name);
  return {
    prefix,
    meta: table("meta"),
    sessions: table("sessions"),
    flags: table("flags"),
    epochs: table("epochs"),
    spent: table("spent"),
    feed: table("feed"),
    pulse: table("pulse"),
    migrations: table("migrations"),
  };
}
