import { readFileSync } from "node:fs";
import { codeOf } from "./faults.ts";

/** The variables of an environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What may be mounted as a file instead of standing in the environment, where other programs can see it. */
const SECRETS = ["JWT_SECRET_KEY", "JWT_PRIVATE_KEY", "JWT_PUBLIC_KEY", "DATABASE_URL", "REDIS_URL", "ADMIN_PASSWORD"];

/** Puts the content of each file that `X_FILE` names under `X`. A line break at its end does not count. */
export function readEnvironment(env: Environment, faults: string[]): Environment {
  const read: Record<string, string | undefined> = { ...env };
  for (const name of SECRETS) {
    const variable = `${name}_FILE`;
    const file = env[variable];
    delete read[variable];
    if (!file) continue;
    if (env[name]) {
      faults.push(`${name} and ${variable} are both set: keep one of them.`);
      continue;
    }
    try {
      read[name] = readFileSync(file, "utf8").replace(/\r?\n$/, "");
      if (read[name] === "") faults.push(`${variable} names a file that is empty.`);
    } catch (error) {
      faults.push(`${variable} names a file that cannot be read (${codeOf(error)}).`);
    }
  }
  return read;
}
