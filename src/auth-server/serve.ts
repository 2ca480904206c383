import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createApplication } from "./application.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { CannotStart, codeOf } from "./faults.ts";
import { makeFirstAdministrator, offerSetup, removeLinkFile } from "./first-administrator.ts";
import { type Handler, scenes } from "./handler.ts";
import { isForPeople, type Log, openLog, type ServeIo } from "./log.ts";
import { readSettings, type Settings, urlOf } from "./settings.ts";
import { readSigning } from "./signing.ts";
import { openStores } from "./stores.ts";
import { notices, tryLines } from "./welcome.ts";

/** How long a client may take to send a request, and how often that is looked at, in milliseconds. */
const PATIENCE = { requestTimeout: 15_000, connectionsCheckingInterval: 5_000 };
/** Milliseconds that requests may take to end when the server is stopped. */
const STOP_TIMEOUT = 4_000;

/**
 * Runs the auth server until SIGTERM or SIGINT: users, logins, sessions, administration and the console, over what the
 * environment names. A second signal ends the process at once.
 * @param env the variables of docs/auth-server.md, each secret one also as a file under `X_FILE`
 * @param io where it writes
 * @returns the exit code: 0 once it was stopped, 1 where it could not start; why stands on `stderr`, all of it at once
 */
export async function serve(env: Environment, io: ServeIo = process): Promise<number> {
  // The database holds password hashes: files made here are for this user alone.
  process.umask(0o077);
  // Heard from the beginning: who starts it may stop it as soon as it listens.
  const listening = new AbortController();
  const { signal } = listening;
  const stopped = Promise.race(["SIGTERM", "SIGINT"].map((name) => once(process, name, { signal })));
  stopped.catch(() => {});
  try {
    const stop = await start(env, io);
    await stopped;
    // From here on a signal ends the process at once.
    listening.abort();
    await stop();
    return 0;
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    listening.abort();
  }
}

/** Starts it, and gives the function that stops it. */
async function start(given: Environment, io: ServeIo): Promise<() => Promise<void>> {
  const faults: string[] = [];
  const env = readEnvironment(given, faults);
  const settings = await readSettings(env, faults);
  const signing = readSigning(env, settings, faults);
  if (faults.length > 0) throw new CannotStart(faults);

  const log = openLog(settings, io, () => ({ request: scenes.getStore()?.id }));
  const stores = await openStores(settings, { migrate: true, tell: (message) => log.warn(message) });
  try {
    const application = createApplication(settings, signing, stores, log);
    const hasAdministrator = await makeFirstAdministrator(settings, application.accounts, stores.tables);
    const server = await listen(application.handler.listener, settings);
    const url = urlOf(settings.address, (server.address() as AddressInfo).port);
    const origin = settings.publicOrigin ?? url;
    const lines = [...notices(settings, signing)];
    if (!hasAdministrator) lines.push(offerSetup(origin, application.setup, io.stdout.isTTY === true));
    greet(url, lines, settings, log, io);
    return async () => {
      log.info("Stopping");
      application.stop();
      await close(server, application.handler);
      if (!hasAdministrator) removeLinkFile();
      await stores.close();
      log.info("Stopped");
    };
  } catch (error) {
    await stores.close();
    throw error;
  }
}

async function listen(handler: RequestListener, { address, port }: Settings): Promise<Server> {
  const server = createServer(PATIENCE, handler).listen(port, address);
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    const why = codeOf(error) === "EADDRINUSE" ? "is in use" : `cannot be opened (${codeOf(error)})`;
    throw new CannotStart([`Port ${port} of ${address} ${why}: choose another with PORT.`]);
  }
}

function greet(url: string, lines: readonly string[], settings: Settings, log: Log, io: ServeIo): void {
  if (!isForPeople(settings, io)) {
    for (const line of lines) log.info(line);
    log.info(`Listening on ${url}`);
    return;
  }
  const tries = tryLines(url).map((line) => `  ${line}`);
  io.stdout.write(
    [`Listening on ${url}`, ...lines, "", "Try it from another terminal:", "", ...tries, "", ""].join("\n"),
  );
}

/** Takes no new requests, and lets those under way end. */
async function close(server: Server, handler: Handler): Promise<void> {
  const closed = once(server, "close");
  server.close();
  const isOver = new AbortController();
  const forced = pause(STOP_TIMEOUT, undefined, { signal: isOver.signal }).then(
    () => server.closeAllConnections(),
    () => {},
  );
  // A connection that is kept alive becomes idle when its request is answered.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearInterval(sweep);
  await Promise.race([handler.idle(), forced]);
  isOver.abort();
}
