import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import { CannotStart } from "./settings.ts";

/** Whom a token speaks for. The id never changes and is never given twice; the name is only shown. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: "user" | "admin";
}

/** The users, kept in SQLite. Names are canonical: see `canonicalName`. */
export interface Users {
  byId(id: string): User | undefined;
  /** A user with the hash of the password. */
  byName(name: string): (User & { readonly passwordHash: string }) | undefined;
  /** Makes an ordinary user; `undefined` if the name is taken. */
  add(name: string, passwordHash: string): User | undefined;
  /** Makes an administrator while there is none; `undefined` if there is one, or the name is taken. */
  addFirstAdministrator(name: string, passwordHash: string): User | undefined;
  hasAdministrator(): boolean;
  setPasswordHash(id: string, passwordHash: string): void;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('user', 'admin'))
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS users_name ON users (name);
`;

/**
 * Opens the file of users, or makes it.
 * @throws CannotStart if it cannot be read and written.
 */
export function openUsers(file: string): Users {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return usersIn(new Database(file));
  } catch (error) {
    const why = (error as { code?: string }).code || "no access";
    throw new CannotStart(
      `The database ${file} cannot be opened (${why}): mend it, or name another with DATABASE_FILE.`,
    );
  }
}

function usersIn(database: Database.Database): Users {
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  // Calls are synchronous: waiting longer for another process would hold up every request.
  database.pragma("busy_timeout = 50");
  database.exec(SCHEMA);
  const byId = database.prepare("SELECT id, name, role FROM users WHERE id = ?");
  const byName = database.prepare("SELECT id, name, role, password_hash AS passwordHash FROM users WHERE name = ?");
  const insert = database.prepare(
    "INSERT INTO users (id, name, password_hash, role) VALUES (?, ?, ?, 'user') ON CONFLICT (name) DO NOTHING",
  );
  // One statement, so that of two at once only one can win.
  const insertFirstAdministrator = database.prepare(
    `INSERT INTO users (id, name, password_hash, role) SELECT ?, ?, ?, 'admin'
     WHERE NOT EXISTS (SELECT 1 FROM users WHERE role = 'admin') ON CONFLICT (name) DO NOTHING`,
  );
  const administrator = database.prepare("SELECT 1 FROM users WHERE role = 'admin' LIMIT 1");
  const update = database.prepare("UPDATE users SET password_hash = ? WHERE id = ?");

  const add = (statement: typeof insert, role: User["role"], name: string, passwordHash: string): User | undefined => {
    const id = randomUUID();
    return statement.run(id, name, passwordHash).changes === 1 ? { id, name, role } : undefined;
  };
  return {
    byId(id) {
      const row = byId.get(id) as User | undefined;
      // Named one by one: the driver adds members of its own to a row.
      return row && { id: row.id, name: row.name, role: row.role };
    },
    byName: (name) => byName.get(name) as ReturnType<Users["byName"]>,
    add: (name, passwordHash) => add(insert, "user", name, passwordHash),
    addFirstAdministrator: (name, passwordHash) => add(insertFirstAdministrator, "admin", name, passwordHash),
    hasAdministrator: () => administrator.get() !== undefined,
    setPasswordHash: (id, passwordHash) => void update.run(passwordHash, id),
    close: () => void database.close(),
  };
}
