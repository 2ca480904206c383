import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigError } from "jwt-extended";
import { makeFirstAdministrator } from "./administrator.ts";
import { createApp } from "./app.ts";
import { createPasswords } from "./passwords.ts";
import { chooseSigning, HOW_TO_MAKE_A_SECRET } from "./secret.ts";
import { openSessions } from "./sessions.ts";
import { CannotStart, readSettings, type Settings, urlOf } from "./settings.ts";
import { createTokens } from "./tokens.ts";
import { openUsers } from "./users.ts";
import { welcome } from "./welcome.ts";

/** How long a client may take to send a request. */
const REQUEST_TIMEOUT = 15_000;
/** How long requests may take to end when the server is stopped. */
const STOP_TIMEOUT = 5_000;

async function start(): Promise<void> {
  // The database holds password hashes: files made here are for this user alone.
  process.umask(0o077);
  const settings = await readSettings(process.env);
  const signing = chooseSigning(settings);
  const users = openUsers(settings.databaseFile);
  const sessions = await openSessions(settings.databaseFile);
  const tokens = createTokens(signing, users, sessions.store);
  const passwords = await createPasswords();
  await makeFirstAdministrator(settings.administrator, users, passwords);

  const server = createServer({ requestTimeout: REQUEST_TIMEOUT }, createApp({ tokens, users, passwords }));
  await listen(server, settings);
  const { port } = server.address() as AddressInfo;
  console.log(welcome(urlOf(settings.address, port), settings, signing, users.hasAdministrator()));
  const close = (): void => {
    sessions.close();
    users.close();
  };
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => stop(server, close));
}

async function listen(server: Server, { address, port }: Settings): Promise<void> {
  server.listen(port, address);
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "EADDRINUSE" ? "is in use" : `cannot be opened (${code})`;
    throw new CannotStart(`Port ${port} of ${address} ${why}: choose another with PORT.`);
  }
}

/** Takes no new requests, lets those under way end, and closes the database. A second signal ends the process at once. */
function stop(server: Server, closeDatabase: () => void): void {
  server.close(() => {
    closeDatabase();
    process.exit(0);
  });
  setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT).unref();
}

try {
  await start();
} catch (error) {
  if (error instanceof ConfigError)
    console.error(`${error.message}\nsecretKey is JWT_SECRET_KEY. ${HOW_TO_MAKE_A_SECRET}`);
  else if (error instanceof CannotStart) console.error(error.message);
  else throw error;
  process.exit(1);
}
