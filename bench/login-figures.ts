import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { hash, verify } from "@node-rs/argon2";
import Database from "libsql";
import { createAccounts, sqliteAccounts } from "../src/accounts/index.ts";
import { OWASP_COST } from "../src/accounts/passwords.ts";
import type { JwtRequest } from "../src/http/types.ts";
import { JWTManager } from "../src/manager.ts";
import { sqliteStore } from "../src/stores/sqlite.ts";
import type { Job } from "./jobs.ts";
import { compare, type Effort, type Ratio } from "./measure.ts";
import { secretText } from "./tokens.ts";

/** As many log in at once, each of them so often in turn; and as many at once when it is to be too much. */
const [AT_ONCE, IN_TURN, CROWD] = [8, 4, 200];
const PASSWORD = "correct horse battery staple";
/** Milliseconds that the event loop may be held up at most. */
const HELD_UP = 100;

type Login = (which: number) => Promise<number>;

/** `POST /login` of accounts in an SQLite file, as a route that any adapter mounts; gives the status. */
async function withLogin<T>(use: (login: Login) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "jx-bench-login-"));
  const databases = [0, 1].map(() => new Database(join(folder, "data.db"))) as [Database.Database, Database.Database];
  try {
    const accounts = createAccounts({ tables: sqliteAccounts({ database: databases[0] }) });
    const store = sqliteStore({ database: databases[1] });
    const jwt = new JWTManager({ secretKey: secretText, store, loaders: accounts.loaders, warn: () => {} });
    const route = accounts.routes(jwt).find(({ path }) => path === "/login");
    if (!route) throw new Error("there is no login");
    for (let which = 0; which < AT_ONCE; which++)
      await accounts.addUser({ username: `user-${which}`, password: PASSWORD });
    return await use(async (which) => {
      const request: JwtRequest = {
        method: "POST",
        url: "/login",
        address: `192.0.2.${which % 250}`,
        header: (name) => (name === "content-type" ? ["application/json"] : []),
        body: async () => ({ kind: "json", value: { username: `user-${which % AT_ONCE}`, password: PASSWORD } }),
      };
      return (await route.handle(request)).status;
    });
  } finally {
    for (const database of databases) database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const several = (count: number, work: (which: number) => Promise<unknown>): Promise<readonly unknown[]> =>
  Promise.all(Array.from({ length: count }, (_, which) => work(which)));

/** Clients that each begin again when they are done: nobody waits for the slowest of a batch. */
const inTurns = (work: (which: number) => Promise<unknown>): Promise<unknown> =>
  several(AT_ONCE, async (which) => {
    for (let turn = 0; turn < IN_TURN; turn++) await work(which);
  });

/** Whole logins over the hashing that they cannot do without. */
function pace(effort: Effort): Promise<readonly Ratio[]> {
  return withLogin(async (login) => {
    const stored = await hash(PASSWORD, OWASP_COST);
    const [ratio] = (await compare(
      "login",
      [
        {
          name: `${AT_ONCE} who log in ${IN_TURN} times`,
          run: () =>
            inTurns(async (which) => {
              const status = await login(which);
              if (status !== 201) throw new Error(`refused: ${status}`);
            }),
        },
        { name: "the same with argon2id alone", run: () => inTurns(() => verify(stored, PASSWORD)) },
      ],
      { ...effort, slice: effort.slice * 8, rounds: Math.min(effort.rounds, 21) },
    )) as [Ratio];
    const [ours, alone] = [ratio.oursNs, ratio.overNs].map((ns) => ((AT_ONCE * IN_TURN * 1e9) / ns).toFixed(0));
    console.log(`login: ${ours} logins a second, ${alone} of argon2id alone`);
    return [{ ...ratio, target: 0.9 }];
  });
}

/** How long the event loop is held up while far more log in than can be served. */
function crowd(): Promise<readonly Ratio[]> {
  return withLogin(async (login) => {
    await several(AT_ONCE, login);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const statuses = await several(CROWD, login);
    delay.disable();
    const served = statuses.filter((status) => status !== 503).length;
    const [most, usual] = [delay.max, delay.percentile(99)].map((ns) => (ns / 1e6).toFixed(1));
    console.log(
      `login: ${CROWD} at once: ${served} served, ${CROWD - served} told to come again; event loop held up ${most} ms at most, 99 of 100 times ${usual} ms`,
    );
    const median = (HELD_UP * 1e6) / delay.max;
    const over = `${HELD_UP} ms`;
    const figure = "login, 200 at once";
    const same = { median, lower: median, upper: median, oursNs: delay.max, overNs: HELD_UP * 1e6 };
    return [{ figure, ours: "longest event-loop delay", over, ...same, target: 1 }];
  });
}

export const jobs: readonly Job[] = [
  { name: "login", measure: pace },
  { name: "login, a crowd", measure: crowd },
];
