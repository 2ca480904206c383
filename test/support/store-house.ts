import { memoryStore, type TokenPair, type TokenStore } from "jwt-extended";
import { type FakeClock, fakeClock } from "jwt-extended/testing";
import { expect } from "vitest";
import { act, passed, refused, who } from "./answers.ts";
import { type Browser, browser } from "./browser.ts";
import { expressHarness } from "./harness/express.ts";
import type { AnyManager } from "./harness/types.ts";
import type { Answer } from "./http.ts";
import { readyRoutes } from "./ready.ts";
import { bearer, type Client, managerOf, serving } from "./serve.ts";
import type { Given, StoreKit } from "./store-kits.ts";

export type Pair = Pick<TokenPair, "access_token" | "refresh_token">;

/** A server over a store, and what is asked of it all the time. */
export interface House {
  readonly manager: AnyManager;
  readonly client: Client;
  refresh(pair: Pair): Promise<Answer>;
  me(pair: Pair): Promise<Answer>;
  logout(token: string): Promise<Answer>;
  /** A browser that is logged in by cookies. */
  page(who?: string): Promise<Browser>;
}

/** The pair in an answer. */
export function pairOf(answer: Answer): Pair {
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining("refresh_token")]);
  return answer.json() as Pair;
}

/** Expects that nothing of these pairs works any more. */
export async function dead({ me, refresh }: House, ...pairs: readonly Pair[]): Promise<void> {
  for (const pair of pairs) {
    refused(await me(pair), 401, "token_revoked");
    expect((await refresh(pair)).text).toMatch(/"code":"session_(ended|unknown)"/);
  }
}

/** Expects that a pair works, and uses it up. */
export async function alive({ me, refresh }: House, pair: Pair): Promise<Pair> {
  passed(await me(pair));
  return pairOf(await refresh(pair));
}

/** Serves a manager over a store while `use` runs. */
export function inHouse(
  store: TokenStore,
  clock: () => number,
  options: Record<string, unknown>,
  use: (house: House) => Promise<void>,
  harness = expressHarness,
): Promise<void> {
  const tokenLocation = ["headers", "cookies"];
  const manager = managerOf({ clock, store, tokenLocation, storeTimeout: 20, ...options });
  const login = act("/login", async (tools) =>
    tools.sendTokens(await manager.createTokenPair(tools.query.get("who") ?? "ada", { fresh: true }), {
      via: "cookies",
    }),
  );
  const routes = [login, who(), who({ fresh: true }, "/fresh")];
  return serving(harness, manager, routes, readyRoutes(manager), (client) =>
    use({
      manager,
      client,
      refresh: ({ refresh_token }) =>
        client.send({ method: "POST", path: "/auth/refresh", headers: [bearer(refresh_token)] }),
      me: ({ access_token }) => client.get("/me", bearer(access_token)),
      logout: (token) => client.send({ method: "POST", path: "/auth/logout", headers: [bearer(token)] }),
      async page(name = "ada") {
        const page = browser(client);
        await page.get(`/login?who=${name}`);
        return page;
      },
    }),
  );
}

/** A fresh store of a kind, a minute old. */
export async function freshStore(kit: StoreKit): Promise<{ clock: FakeClock; given: Given }> {
  const clock = fakeClock();
  const given = await kit.make(clock);
  clock.advance(60);
  return { clock, given };
}

/** The same at once, for who cannot wait: its calls wait until it is there. */
export function storeToCome(kit: StoreKit, clock: () => number): TokenStore {
  const before = clock() - 60_000;
  let now = () => before;
  const made = kit
    .make(() => now())
    .then(({ store }) => {
      now = clock;
      return store as unknown as Record<string, (...args: unknown[]) => unknown>;
    });
  // A test may be over before; who calls is told.
  made.catch(() => {});
  const call = (name: string) => [name, async (...args: unknown[]) => (await made)[name]?.(...args)];
  return Object.fromEntries(Object.keys(memoryStore()).map(call)) as unknown as TokenStore;
}

/** The same with a server over it. */
export async function withHouse(
  kit: StoreKit,
  options: Record<string, unknown>,
  use: (house: House, clock: FakeClock, given: Given) => Promise<void>,
): Promise<void> {
  const { clock, given } = await freshStore(kit);
  await inHouse(given.store, clock, options, (house) => use(house, clock, given));
}

/** The same with two servers, as two processes are. */
export async function withTwoHouses(
  kit: StoreKit,
  options: Record<string, unknown>,
  use: (one: House, two: House, clock: FakeClock, given: Given) => Promise<void>,
): Promise<void> {
  const { clock, given } = await freshStore(kit);
  await inHouse(given.store, clock, options, (one) =>
    inHouse(given.other(), clock, options, (two) => use(one, two, clock, given)),
  );
}
