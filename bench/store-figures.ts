import { randomBytes, randomUUID } from "node:crypto";
import type { JwtRequest } from "../src/http/types.ts";
import type { JWTManager } from "../src/manager.ts";
import type { Presented, SessionRow, TokenStore } from "../src/stores/contract.ts";
import { type Contender, compare, type Effort, type Ratio } from "./measure.ts";
import { type MeasuredStore, openStores } from "./store-labs.ts";

const built = await (import(new URL("../dist/index.js", import.meta.url).href) as Promise<
  typeof import("../src/index.ts")
>);

/** As many clients refresh at once, each with a session of its own. */
const AT_ONCE = 32;
const YEAR = 31_536_000;
const secretKey = randomBytes(48).toString("base64");
const all = (work: (which: number) => unknown): (() => Promise<unknown>) => {
  const which = Array.from({ length: AT_ONCE }, (_, each) => each);
  return () => Promise.all(which.map(work));
};

/** Each of the stores in turn; all are closed at the end. */
async function overStores(
  effort: Effort,
  measure: (store: MeasuredStore, effort: Effort) => Promise<readonly Ratio[]>,
): Promise<Ratio[]> {
  const stores = await openStores();
  const ratios: Ratio[] = [];
  // A slice must hold several batches that wait for a disk.
  const slow = { ...effort, slice: effort.slice * 4 };
  for (const store of stores) ratios.push(...(await measure(store, store.name === "memory" ? effort : slow)));
  await Promise.all(stores.map((store) => store.close()));
  return ratios;
}

/** Rotations of 32 sessions at once, over as many of the simplest writes the driver can do. */
export const refreshFigure = (effort: Effort): Promise<Ratio[]> =>
  overStores(effort, async (measured, slow) => {
    const { name, store, write } = measured;
    const manager = new built.JWTManager({ secretKey, store });
    const rotate = await rotations(store);
    const refresh = await refreshes(manager);
    const ways: [string, () => Promise<unknown>][] = [
      ["store.rotate", rotate],
      ["refreshTokenPair", refresh],
    ];
    const ratios: Ratio[] = [];
    for (const [what, run] of ways) {
      const contenders: Contender[] = [
        { name: `${AT_ONCE} × ${what}`, run },
        { name: `${AT_ONCE} × its simplest write`, run: all(write) },
      ];
      const [ratio] = (await compare(`refresh, ${name}`, contenders, slow)) as [Ratio];
      const [ours, plain] = [ratio.oursNs, ratio.overNs].map((ns) => Math.round((AT_ONCE * 1e9) / ns));
      console.log(`refresh, ${name}: ${ours} ${what} a second, ${plain} simplest writes a second`);
      ratios.push(ratio);
    }
    return ratios;
  });

async function rotations(store: TokenStore): Promise<() => Promise<unknown>> {
  const now = Math.floor(Date.now() / 1000);
  const login = { authTime: now, issuedAt: now, refreshExp: now + YEAR, absoluteEnd: (now + YEAR) * 1000 };
  const nobody = { claims: {}, headers: {}, userAgent: undefined, address: undefined, jkt: undefined };
  const rows: SessionRow[] = [];
  for (let each = 0; each < AT_ONCE; each++)
    rows.push(await store.open({ subject: `user-${each}`, ...login, ...nobody }));
  const gens = rows.map(() => 0);
  return all(async (which) => {
    const { sid, subject } = rows[which] as SessionRow;
    const gen = gens[which] as number;
    const { userAgent, address, jkt } = nobody;
    const presented: Presented = {
      sid,
      subject,
      gen,
      nonce: randomUUID(),
      jkt,
      userAgent,
      address,
      issuedAt: now,
      refreshExp: now + YEAR,
      grace: 10_000,
      endedUntil: Date.now() + 900_000,
    };
    const { outcome } = await store.rotate(presented);
    if (outcome !== "rotated") throw new Error(`a good rotation was ${outcome}`);
    gens[which] = gen + 1;
  });
}

async function refreshes(manager: JWTManager): Promise<() => Promise<unknown>> {
  const tokens: string[] = [];
  for (let each = 0; each < AT_ONCE; each++) tokens.push((await manager.createTokenPair(`user-${each}`)).refresh_token);
  return all(async (which) => {
    tokens[which] = (await manager.refreshTokenPair(tokens[which] as string)).refresh_token;
  });
}

/** What the check costs: a guard over each store against a guard over memory and one that asks nothing. */
export async function revocationFigure(effort: Effort): Promise<Ratio[]> {
  const memory = await guarded(built.memoryStore());
  const none = await guarded(null);
  const bare: Contender = { name: "guard, memory", run: memory };
  const ratios = [...(await compare("check, memory", [bare, { name: "guard without a store", run: none }], effort))];
  const rest = await overStores(effort, async ({ name, store, read }, slow) => {
    if (name === "memory") return [];
    const one: Contender = { name: `guard, ${name}`, run: await guarded(store) };
    const plain: Contender = { name: "its simplest read", run: () => read(1) };
    return compare(`check, ${name}`, [one, bare, plain], slow);
  });
  return [...ratios, ...rest];
}

async function guarded(store: TokenStore | null): Promise<() => unknown> {
  const manager = new built.JWTManager({ secretKey, store });
  const guard = manager.guard();
  const value = [`Bearer ${(await manager.createTokenPair("user-1234567")).access_token}`];
  const request: JwtRequest = {
    method: "GET",
    url: "/",
    header: (name) => (name === "authorization" ? value : []),
    body: async () => ({ kind: "none", why: "absent" }),
  };
  const outcome = await guard.check(request);
  if (!outcome.ok) throw new Error("a good token was refused");
  return () => guard.check(request);
}
