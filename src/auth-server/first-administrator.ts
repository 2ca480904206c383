import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { KeptAccounts } from "../accounts/accounts.ts";
import type { AccountTables } from "../accounts/sql/open.ts";
import { AccountError } from "../errors.ts";
import { makeOwnFolder, OWN_FOLDER } from "./development-secret.ts";
import { CannotStart, codeOf } from "./faults.ts";
import { ADMIN } from "./manager.ts";
import type { Settings } from "./settings.ts";
import { SETUP_MINUTES, type Setup } from "./setup.ts";

/**
 * Makes the administrator that the environment names while there is none; later the environment counts no more.
 * @returns whether there is one now
 * @throws CannotStart where the name belongs to somebody else
 */
export async function makeFirstAdministrator(
  { administrator }: Settings,
  { addUser }: KeptAccounts,
  { isHeld }: Pick<AccountTables, "isHeld">,
): Promise<boolean> {
  if (administrator === undefined || (await isHeld(ADMIN))) return isHeld(ADMIN);
  try {
    await addUser({ ...administrator, roles: [ADMIN], unlessHeld: ADMIN });
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    // Another process may have been faster: one administrator is as good as another then.
    if (await isHeld(ADMIN)) return true;
    throw new CannotStart(["ADMIN_USERNAME is the name of an ordinary user: choose another."]);
  }
  return true;
}

const LINK_FILE = join(OWN_FOLDER, "setup-link");

/**
 * Opens the link by which the first administrator is made in a browser. People at a terminal are shown it; otherwise it goes
 * into a file that nobody else can read, as logs are read by many. The file goes when the link has been used.
 * @returns what to say about it
 */
export function offerSetup(url: string, setup: Setup, isTerminal: boolean): string {
  const link = `${url}/#setup=${setup.open()}`;
  const [fault, where] = isTerminal ? [undefined, link] : [keepLink(link, setup), `the link in ${LINK_FILE}`];
  const way =
    fault === undefined
      ? `: open ${where} within ${SETUP_MINUTES} minutes to become it`
      : `, and the link to become it cannot be kept in ${LINK_FILE} (${fault})`;
  return `There is no administrator yet${way}; or start with ADMIN_USERNAME and ADMIN_PASSWORD set.`;
}

/** Gives why it could not. */
function keepLink(link: string, setup: Setup): string | undefined {
  try {
    makeOwnFolder();
    removeLinkFile();
    writeFileSync(LINK_FILE, `${link}\n`, { mode: 0o600, flag: "wx" });
    setup.onClosed(removeLinkFile);
    return undefined;
  } catch (error) {
    return error instanceof CannotStart ? error.message : codeOf(error);
  }
}

/** A link that is dead helps nobody. */
export function removeLinkFile(): void {
  rmSync(LINK_FILE, { force: true });
}
