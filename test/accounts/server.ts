import {
  createAccounts,
  type KeptAccounts,
  memoryLimits,
  type StoredAccounts,
  sqliteAccounts,
} from "jwt-extended/accounts";
import Database from "libsql";
import { harnesses } from "../support/harness/index.ts";
import type { AdapterName, AnyManager, TestServer } from "../support/harness/types.ts";
import { type Answer, send } from "../support/http.ts";
import { bearer, JSON_TYPE, managerOf } from "../support/serve.ts";

/** A cost that no machine feels. */
export const CHEAP = Object.freeze({ memoryCost: 64, timeCost: 1, parallelism: 1 });
export const PASSWORD = "correct horse staple";

type Line = readonly [string, string];

/** A server with the routes of accounts under `/auth`, and the ways to ask it. */
export interface Running {
  readonly accounts: KeptAccounts;
  readonly manager: AnyManager;
  readonly url: string;
  post(path: string, body: unknown, ...headers: Line[]): Promise<Answer>;
  get(path: string, ...headers: Line[]): Promise<Answer>;
  ask(method: string, path: string, ...headers: Line[]): Promise<Answer>;
  /** Registers, and gives the pair. */
  register(username: string, password?: string): Promise<Pair>;
  login(username: string, password?: string, ...headers: Line[]): Promise<Answer>;
  /** An administrator, by hand; gives the access token. */
  admin(username?: string): Promise<string>;
  close(): Promise<void>;
}

export interface Pair {
  readonly access_token: string;
  readonly refresh_token: string;
}

export interface Wanted {
  readonly adapter?: AdapterName;
  /** Options of the manager. */
  readonly manager?: Record<string, unknown>;
  readonly accounts?: Partial<StoredAccounts>;
}

/** Users in an SQLite database in memory, unless said otherwise. Limits are wide, so that only the tests of limits meet them. */
export function accountsOf(more: Partial<StoredAccounts> = {}): KeptAccounts {
  const tables = more.users ? undefined : (more.tables ?? sqliteAccounts({ database: new Database(":memory:") }));
  const wide = { points: 100_000, duration: 900 };
  const limitRules = { pair: wide, address: wide, device: wide, account: wide, registration: wide };
  return createAccounts({ limits: memoryLimits, limitRules, passwords: { cost: CHEAP }, ...more, tables });
}

export async function startAccounts({
  adapter = "node",
  manager: options = {},
  accounts: more = {},
}: Wanted = {}): Promise<Running> {
  const accounts = accountsOf(more);
  const manager = managerOf({ loaders: accounts.loaders, storeTimeout: "5s", ...options });
  const ready = { routes: accounts.routes(manager), prefix: "/auth" };
  const server: TestServer = await harnesses[adapter].start(manager, [], { parsers: false, ready });
  const { url } = server;
  const ask = (method: string, path: string, ...headers: Line[]): Promise<Answer> =>
    send(url, { method, path: `/auth${path}`, headers });
  const post = (path: string, body: unknown, ...headers: Line[]): Promise<Answer> => {
    const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return send(url, { method: "POST", path: `/auth${path}`, body: text, headers: [JSON_TYPE, ...headers] });
  };
  return {
    accounts,
    manager,
    url,
    post,
    ask,
    get: (path, ...headers) => ask("GET", path, ...headers),
    async register(username, password = PASSWORD) {
      const answer = await post("/register", { username, password });
      if (answer.status !== 201) throw new Error(answer.text);
      return answer.json() as Pair;
    },
    login: (username, password = PASSWORD, ...headers) => post("/login", { username, password }, ...headers),
    async admin(username = "root") {
      await accounts.addUser({ username, password: PASSWORD, roles: ["admin"] });
      return ((await post("/login", { username, password: PASSWORD })).json() as Pair).access_token;
    },
    close: () => server.close(),
  };
}

/** Status and code of an answer, as one line. */
export const brief = ({ status, text }: Answer): string =>
  `${status} ${text.startsWith("{") ? ((JSON.parse(text) as { code?: string }).code ?? "ok") : text}`.trim();

export { bearer };
