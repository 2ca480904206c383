import { randomUUID } from "node:crypto";
import { JWTManager } from "../src/manager.ts";
import type { Presented, SessionRow, TokenStore } from "../src/stores/contract.ts";
import type { Job } from "./jobs.ts";
import { type Contender, compare, type Effort, type Ratio } from "./measure.ts";
import { type MeasuredStore, overStore, STORES } from "./store-labs.ts";
import { secretText } from "./tokens.ts";

/** As many clients refresh at once, each with a session of its own. */
const AT_ONCE = 32;
const YEAR = 31_536_000;
const all = (work: (which: number) => unknown): (() => Promise<unknown>) => {
  const which = Array.from({ length: AT_ONCE }, (_, each) => each);
  return () => Promise.all(which.map(work));
};

/** Rotations of 32 sessions at once, over as many of the simplest writes the driver can do. */
async function measure({ name, store, write }: MeasuredStore, effort: Effort): Promise<Ratio[]> {
  const manager = new JWTManager({ secretKey: secretText, store, warn: () => {} });
  const ways: [string, () => Promise<unknown>][] = [
    ["store.rotate", await rotations(store)],
    ["refreshTokenPair", await refreshes(manager)],
  ];
  const ratios: Ratio[] = [];
  for (const [what, run] of ways) {
    const contenders: Contender[] = [
      { name: `${AT_ONCE} × ${what}`, run },
      { name: `${AT_ONCE} × its simplest write`, run: all(write) },
    ];
    const [ratio] = (await compare(`refresh, ${name}`, contenders, effort)) as [Ratio];
    const [ours, plain] = [ratio.oursNs, ratio.overNs].map((ns) => Math.round((AT_ONCE * 1e9) / ns));
    console.log(`refresh, ${name}: ${ours} ${what} a second, ${plain} simplest writes a second`);
    ratios.push(ratio);
  }
  return ratios;
}

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

// A slice must hold several batches that wait for a disk.
const patient = (effort: Effort): Effort => ({ ...effort, slice: effort.slice * 4 });

export const jobs: readonly Job[] = STORES.map((name) => ({
  name: `refresh, ${name}`,
  measure: (effort) => overStore(name, (store) => measure(store, name === "memory" ? effort : patient(effort))),
}));
