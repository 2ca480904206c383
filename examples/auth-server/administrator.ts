import { canonicalName } from "./credentials.ts";
import type { Passwords } from "./passwords.ts";
import { Refusal } from "./refusal.ts";
import { CannotStart, type Settings } from "./settings.ts";
import type { Users } from "./users.ts";

/**
 * Makes the administrator that the environment names while there is none; later the environment counts no more.
 * @throws CannotStart for a name or password that breaks the rules, or a name that somebody else has.
 */
export async function makeFirstAdministrator(
  wanted: Settings["administrator"],
  users: Users,
  passwords: Passwords,
): Promise<void> {
  if (wanted === undefined || users.hasAdministrator()) return;
  const name = canonicalName(wanted.username);
  if (name === undefined) {
    throw new CannotStart("ADMIN_USERNAME must have 3 to 32 letters a-z, digits, dots, _ and -.");
  }
  const passwordHash = await passwords.hash(wanted.password).catch((error: unknown) => {
    throw error instanceof Refusal ? new CannotStart(`ADMIN_PASSWORD cannot be used: ${error.message}.`) : error;
  });
  // Another process may have been faster: one administrator is as good as another then.
  if (users.addFirstAdministrator(name, passwordHash) === undefined && !users.hasAdministrator()) {
    throw new CannotStart("ADMIN_USERNAME is the name of an ordinary user: choose another.");
  }
}
