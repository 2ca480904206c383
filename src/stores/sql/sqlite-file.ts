import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { sql } from "kysely";
import type { Database } from "./engine.ts";
import { Forgotten } from "./generation.ts";

/**
 * Notices that the file of an open database was deleted or replaced: it can still be read and written, but nobody else
 * sees it, and what others revoke is not seen here.
 */
export function openFile() {
  // A temporary table is the connection's own: without it this is a connection that was opened since.
  const mark = sql.id(`jx_${randomBytes(8).toString("hex")}`);
  let path = "";
  let identity: string | undefined;
  const identify = (): string | undefined => {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found && `${found.dev}:${found.ino}`;
  };
  return {
    /** Remembers which file a connection was opened on. */
    async remember(db: Database): Promise<void> {
      const known = await sql`create temporary table ${mark} (id integer)`.execute(db).then(
        () => false,
        () => true,
      );
      if (known) return;
      const { rows } = await sql<{ name: string; file: string }>`pragma database_list`.execute(db);
      path = rows.find(({ name }) => name === "main")?.file ?? "";
      identity = path === "" ? undefined : identify();
    },
    /** Asks the system, in a few microseconds. @throws Forgotten where it is there no longer */
    check(): void {
      if (identity !== undefined && identify() !== identity)
        throw new Forgotten("the file of the database was deleted or replaced: open it again");
    },
  };
}
