import { sqliteStore } from "jwt-extended/sqlite";
import Database from "libsql";
import { CannotStart } from "./settings.ts";

/**
 * The sessions, kept in the same file as the users, over a connection of their own: what the application does in its
 * transactions must never decide about a logout.
 * @throws CannotStart if the file cannot be used.
 */
export async function openSessions(file: string) {
  const database = new Database(file);
  const store = sqliteStore({ database });
  try {
    await store.migrate();
  } catch (error) {
    const why = (error as { code?: string }).code || "no access";
    throw new CannotStart(
      `The sessions in ${file} cannot be opened (${why}): mend it, or name another with DATABASE_FILE.`,
    );
  }
  return { store, close: () => database.close() };
}
