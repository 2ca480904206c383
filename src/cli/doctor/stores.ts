import type { Environment } from "../../auth-server/environment.ts";
import { Failure } from "../command.ts";
import { openStores } from "../configuration.ts";
import { clockFinding, type Finding, fault, ok, skipped } from "./finding.ts";

const NAMES = ["DATABASE_URL", "DATABASE_FILE", "REDIS_URL"];

/** Whether the stores answer, have their tables, and keep our time. Nothing is made. */
export async function examineStores(env: Environment): Promise<readonly Finding[]> {
  if (!NAMES.some((name) => env[name])) return [skipped("store", `None of ${NAMES.join(", ")} is set.`)];
  try {
    const { settings, stores } = await openStores(env, { migrate: false });
    try {
      const sent = Date.now();
      const tip = await stores.store.feed?.tip(0);
      const came = Date.now();
      const found = [ok("store", "The store answers, and takes writes; its tables are up to date.")];
      // SQLite has no clock but that of this machine.
      const isElsewhere = settings.redisUrl !== undefined || settings.database.kind !== "sqlite";
      if (!tip || !isElsewhere) return found;
      return [...found, clockFinding("the store", (tip.now - (sent + came) / 2) / 1000, (came - sent) / 2000)];
    } finally {
      await stores.close();
    }
  } catch (error) {
    if (error instanceof Failure) return (error.faults ?? [error.message]).map((line) => fault("store", line));
    const { message } = error as Error;
    if (!/^the tables of/.test(message)) throw error;
    return [fault("store", "The tables of sessions are missing or not of this release.", "npx jwt-extended migrate")];
  }
}
