import { ConfigError } from "../../errors.ts";
import { type Connection, text } from "./client.ts";

/** A refusal by Redis itself (no such command, no permission), unlike a connection that failed. */
const isRefusal = (answer: unknown): boolean =>
  answer instanceof Error && /^(ERR|NOPERM|NOAUTH)\b/.test(answer.message);

/** A setting in the answer of `CONFIG GET`: pairs in a row, or an object or `Map` (RESP3). */
function setting(answer: unknown, name: string): string | undefined {
  let value: unknown;
  if (Array.isArray(answer)) value = answer[answer.findIndex((key) => text(key) === name) + 1 || answer.length];
  else if (answer instanceof Map) value = answer.get(name);
  else if (typeof answer === "object" && answer !== null) value = (answer as Record<string, unknown>)[name];
  return value === undefined || answer instanceof Error ? undefined : text(value);
}

/** A line in the answer of `INFO`. */
const line = (answer: unknown, name: string): string | undefined =>
  answer instanceof Error ? undefined : new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(text(answer))?.[1];

/**
 * Looks at the server of a key before it is used.
 *
 * @throws ConfigError where it would lose revocations, or is not the one to ask
 */
export async function inspect(connection: Connection, key: string, warn: (message: string) => void): Promise<void> {
  const answers = await connection.batch(key, [
    ["CONFIG", "GET", "maxmemory-policy"],
    ["CONFIG", "GET", "appendonly"],
    ["INFO"],
  ]);
  const failed = answers.find((answer) => answer instanceof Error && !isRefusal(answer));
  if (failed) throw failed;
  const [policies, appending, info] = answers;
  if (line(info, "role") === "slave") {
    throw new ConfigError([
      "store: this Redis is a replica and takes no writes. Connect to its primary, or through Sentinel or a cluster client.",
    ]);
  }
  if (line(info, "cluster_enabled") === "1" && !connection.cluster) {
    throw new ConfigError([
      "store: this Redis belongs to a cluster. Give a cluster client: createCluster of redis, or Cluster of ioredis or iovalkey.",
    ]);
  }
  const policy = setting(policies, "maxmemory-policy") ?? line(info, "maxmemory_policy");
  if (policy === undefined) {
    warn(
      "the maxmemory-policy of Redis cannot be read: make sure that it is noeviction, or revocations can be evicted.",
    );
  } else if (policy !== "noeviction") {
    throw new ConfigError([
      `store: the maxmemory-policy of Redis is ${policy}, which evicts revocations when memory runs short, so that revoked tokens work again. Set it to noeviction: CONFIG SET maxmemory-policy noeviction, and the same in redis.conf.`,
    ]);
  }
  const appends =
    setting(appending, "appendonly") ?? (line(info, "aof_enabled") === "1" ? "yes" : line(info, "aof_enabled"));
  if (process.env.NODE_ENV === "production" && appends !== undefined && appends !== "yes") {
    warn(
      "Redis runs with appendonly no: a restart forgets what came after its last snapshot. If it forgets everything, everybody must log in again; if only the end, revocations made then are lost. Set appendonly yes.",
    );
  }
}
