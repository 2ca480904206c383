import { databaseName } from "../auth-server/database-place.ts";
import { parseDuration } from "../internal/duration.ts";
import { type Command, type Input, WrongUsage } from "./command.ts";
import { ENVIRONMENT_OPTIONS, environmentOf, openStores, STORE_VARIABLES } from "./configuration.ts";

type Settings = Awaited<ReturnType<typeof openStores>>["settings"];

/** Where things are kept, in words; no address, which may hold a password. */
const placesOf = ({ database, redisUrl }: Settings): Record<string, string> => {
  const users = databaseName(database);
  return { users, sessions: redisUrl === undefined ? users : "Redis" };
};

export const migrate: Command = {
  name: "migrate",
  summary: "Makes or updates the tables of users and sessions.",
  takes: "",
  count: [0, 0],
  options: ENVIRONMENT_OPTIONS,
  notes: [STORE_VARIABLES, "Any number of processes may do so at once, and nothing is done where all is up to date."],
  async run(input, io) {
    const { settings, stores } = await openStores(environmentOf(input, io), { migrate: true });
    await stores.close();
    const { users, sessions } = placesOf(settings);
    const sessionText =
      sessions === "Redis" ? "Redis is ready for sessions; it has no tables." : `Sessions: ${sessions}.`;
    return {
      ok: true,
      json: { users, sessions },
      text: `The tables are up to date. Users: ${users}. ${sessionText}`,
    };
  },
};

export const purge: Command = {
  name: "purge",
  summary: "Removes sessions and revocations that no token can need any more.",
  takes: "",
  count: [0, 0],
  options: {
    "audit-older-than": { type: "string", value: "TIME", says: "Remove entries of the audit trail, too, such as 90d." },
    ...ENVIRONMENT_OPTIONS,
  },
  notes: [STORE_VARIABLES, "Stores do this by themselves now and then, but for the audit trail."],
  async run(input, io) {
    const age = auditAge(input);
    const { stores } = await openStores(environmentOf(input, io), { migrate: false });
    try {
      const removed = await stores.store.purge();
      if (age !== undefined) await stores.tables.purgeAudit(Date.now() - age * 1000);
      const trail = age === undefined ? "" : ` The audit trail begins ${input.text("audit-older-than")} ago.`;
      return {
        ok: true,
        json: { removed, auditPurged: age !== undefined },
        text: `Removed ${removed} ${removed === 1 ? "entry" : "entries"} of sessions and revocations.${trail}`,
      };
    } finally {
      await stores.close();
    }
  },
};

/** Seconds. */
function auditAge(input: Input): number | undefined {
  const text = input.text("audit-older-than");
  if (text === undefined) return undefined;
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new WrongUsage("--audit-older-than must be a time such as 12h, 90d or 52w.");
  return seconds;
}
