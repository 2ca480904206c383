import { createAccounts, type KeptAccounts } from "../accounts/accounts.ts";
import { clientAddresses } from "../accounts/address.ts";
import { createRecorder } from "../accounts/audit.ts";
import { askingWithin, keyedBy } from "../accounts/secrets.ts";
import { nodeJwt } from "../adapters/node.ts";
import type { Route } from "../http/types.ts";
import { activityRoute } from "./activity.ts";
import { createAuditFeed } from "./audit-feed.ts";
import { describingRoutes } from "./describe.ts";
import { eventRows } from "./events.ts";
import { createHandler, type Handler, type Row } from "./handler.ts";
import { securityHeaders } from "./headers.ts";
import { healthRoutes } from "./health.ts";
import type { Log } from "./log.ts";
import { createManager } from "./manager.ts";
import { ownRoutes } from "./own-routes.ts";
import { readPage } from "./page.ts";
import { watchSessions } from "./session-watch.ts";
import type { Settings } from "./settings.ts";
import { createSetup, type Setup } from "./setup.ts";
import type { Signing } from "./signing.ts";
import type { Stores } from "./stores.ts";
import { createStreams } from "./streams.ts";

/** The server, but for its socket. */
export interface Application {
  readonly handler: Handler;
  readonly accounts: KeptAccounts;
  readonly setup: Setup;
  /** From now on it is not ready, and all streams end. */
  stop(): void;
}

/** Registrations from one address where all come from this machine: whoever tries things out makes many users. */
const TRYING_OUT = { points: 1_000, duration: 3_600 };

/** Joins the rooms: who may do what, where it is remembered, and at which address it is answered. */
export function createApplication(settings: Settings, signing: Signing, stores: Stores, log: Log): Application {
  const { tables, store, limits } = stores;
  const { publicOrigin, trustedProxies } = settings;
  const audit = createAuditFeed(tables.audit);
  const limitRules = settings.plainHttp ? { registration: TRYING_OUT } : undefined;
  const accounts = createAccounts({ tables, audit: audit.store, limits, limitRules, logger: log, trustedProxies });
  const manager = createManager(signing.options, accounts, store, log);
  const adapter = nodeJwt(manager);
  const addressOf = clientAddresses(trustedProxies);
  const ask = askingWithin(() => manager.config.storeTimeout);
  const facts = { addressOf, ask, keyed: keyedBy(manager, ask), clock: manager.config.clock };
  const setup = createSetup(manager, accounts, tables, addressOf, createRecorder(audit.store, log, facts));
  const streams = createStreams();
  const page = readPage();
  let isStopping = false;

  const ready: readonly Route[] = [
    ...describingRoutes(manager, signing.jwks, page, () => rows.slice(page.routes.length)),
    ...accounts.routes(manager),
    ...ownRoutes(manager),
    activityRoute(manager, tables),
    setup.route,
    ...healthRoutes(manager, store, tables, () => isStopping),
  ];
  const mounted = (routes: readonly Route[]): readonly Row[] => {
    const run = adapter.mount(routes);
    return routes.map(({ method, path }) => ({ method, path, run }));
  };
  const rows: readonly Row[] = [
    ...mounted(page.routes),
    ...mounted(ready),
    ...eventRows(manager, adapter, { streams, sessions: watchSessions(store), audit }),
  ];
  const { maxBodyBytes, errorMessageKey: messageKey } = manager.config;
  return {
    handler: createHandler(rows, { headers: securityHeaders(publicOrigin), maxBodyBytes, messageKey, log }),
    accounts,
    setup,
    stop() {
      isStopping = true;
      streams.close();
    },
  };
}
