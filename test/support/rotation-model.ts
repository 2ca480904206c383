import fc from "fast-check";
import { JWTManager, type SessionRow, type TokenStore } from "jwt-extended";
import type { FakeClock } from "jwt-extended/testing";
import { expect } from "vitest";
import { decide, isOver } from "../../src/stores/rotation.ts";
import { codeOf } from "./asking.ts";
import { claimsOf } from "./forge.ts";
import { SECRET } from "./serve.ts";

const GRACE = 10;

/** Everything that can happen to an honest client whose store keeps what it was told, over one of two processes. */
export type Step =
  | { readonly do: "refresh"; readonly at: number }
  | { readonly do: "race"; readonly tabs: number }
  | { readonly do: "crowd"; readonly tabs: number }
  | { readonly do: "lost"; readonly retries: readonly number[] }
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "purge" }
  | { readonly do: "logout"; readonly at: number }
  | { readonly do: "revoke all"; readonly at: number }
  | { readonly do: "theft" };

const at = fc.integer({ min: 0, max: 1 });
const tabs = fc.integer({ min: 2, max: 4 });
const named = <Name extends Step["do"], Rest extends object>(
  name: Name,
  rest: { [K in keyof Rest]: fc.Arbitrary<Rest[K]> },
) => fc.record({ do: fc.constant(name), ...rest }) as unknown as fc.Arbitrary<Step>;

export const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: named("refresh", { at }) },
  { weight: 2, arbitrary: named("race", { tabs }) },
  { weight: 2, arbitrary: named("crowd", { tabs }) },
  // All retries of one call together stay inside the grace.
  {
    weight: 3,
    arbitrary: named("lost", { retries: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 2 }) }),
  },
  { weight: 3, arbitrary: named("wait", { seconds: fc.integer({ min: 0, max: 40_000 }) }) },
  { weight: 1, arbitrary: named("purge", {}) },
  { weight: 1, arbitrary: named("logout", { at }) },
  { weight: 1, arbitrary: named("revoke all", { at }) },
  { weight: 1, arbitrary: named("theft", {}) },
);

/** The row of one session as the pure function has it. */
class Model {
  row: SessionRow;
  over = false;

  constructor(row: SessionRow) {
    this.row = { ...row };
  }

  /** What must become of a token of this generation; the row goes on accordingly. */
  present(gen: number, now: number): { code: string; gen: number } {
    if (this.over || isOver(this.row, now)) return { code: "session_ended", gen: -1 };
    const issuedAt = Math.floor(now / 1000);
    const who = { sid: this.row.sid, subject: "ada", jkt: undefined, userAgent: undefined, address: undefined };
    const times = { issuedAt, refreshExp: issuedAt + 30 * 86_400, grace: GRACE * 1000, endedUntil: now };
    const { outcome, row } = decide(this.row, { ...who, ...times, gen, nonce: "" }, now);
    if (row) this.row = { ...row, op: "another" };
    if (outcome === "reused") this.over = true;
    return { code: outcome === "reused" ? "token_reused" : "fine", gen: row?.gen ?? -1 };
  }
}

/** Lives a script through on two processes over one store; what managers and stores say must agree with the model. */
export async function live(stores: readonly TokenStore[], clock: FakeClock, script: readonly Step[]): Promise<void> {
  const told: string[] = [];
  const managers = stores.map((store) => {
    const options = { secretKey: SECRET, clock, store, grace: GRACE, leeway: 0, storeTimeout: 20, warn: () => {} };
    const manager = new JWTManager(options);
    for (const name of ["reused", "suspicious"] as const) manager.on(name, () => told.push(name));
    return manager;
  });
  const process = (number: number): JWTManager => managers[number % managers.length] as JWTManager;
  const over: { readonly access: string; readonly refresh: string }[] = [];
  const open = async () => {
    const { access_token: access, refresh_token: token } = await process(0).createTokenPair("ada");
    const sid = String(claimsOf(access).sid);
    return { sid, access, token, spent: [] as string[], model: new Model((await stores[0]?.read(sid)) as SessionRow) };
  };
  let client = await open();
  let thefts = 0;
  const finish = async (): Promise<void> => {
    over.push({ access: client.access, refresh: client.token });
    client = await open();
  };

  /** Presents the token that the client holds; a good answer is kept unless it is lost on the way. */
  const refresh = async (number: number, isLost = false): Promise<void> => {
    const { gen, exp } = claimsOf(client.token) as { gen: number; exp: number };
    const call = () => process(number).refreshTokenPair(client.token);
    if (clock() / 1000 >= exp) {
      expect(await codeOf(call)).toBe("token_expired");
      return finish();
    }
    const wanted = client.model.present(gen, clock());
    expect(wanted.code).not.toBe("token_reused");
    if (wanted.code === "session_ended") {
      // A store may have forgotten what was over.
      expect(await codeOf(call)).toMatch(/^session_(ended|unknown)$/);
      return finish();
    }
    const pair = await call();
    const { sid, issuedAt, refreshExp } = client.model.row;
    expect(claimsOf(pair.refresh_token)).toMatchObject({ sid, gen: wanted.gen, iat: issuedAt, exp: refreshExp });
    if (isLost) return;
    if (pair.refresh_token !== client.token) client.spent.push(client.token);
    client.token = pair.refresh_token;
    client.access = pair.access_token;
  };
  const crowd = async (count: number): Promise<void> => {
    const { token, sid } = client;
    await refresh(0);
    if (client.sid !== sid || client.model.over) return;
    const mine = claimsOf(client.token);
    const asked = Array.from({ length: count }, (_, tab) => process(tab).refreshTokenPair(token));
    for (const { refresh_token } of await Promise.all(asked)) expect(claimsOf(refresh_token)).toEqual(mine);
    client.model.row = { ...client.model.row, racedCount: client.model.row.racedCount + count };
  };
  /** Somebody comes with a token that is two generations old, and the session ends. */
  const theft = async (): Promise<void> => {
    const old = client.spent.findLast((token) => Number(claimsOf(token).gen) <= client.model.row.gen - 2);
    if (old === undefined || clock() / 1000 >= Number(claimsOf(old).exp)) return;
    if (client.model.present(Number(claimsOf(old).gen), clock()).code !== "token_reused") return;
    expect(await codeOf(() => process(1).refreshTokenPair(old))).toBe("token_reused");
    thefts++;
    await refresh(0);
  };

  for (const step of script) {
    if (step.do === "refresh") await refresh(step.at);
    else if (step.do === "wait") clock.advance(step.seconds);
    else if (step.do === "purge") for (const manager of managers) await manager.purge();
    else if (step.do === "crowd") await crowd(step.tabs);
    else if (step.do === "theft") await theft();
    else if (step.do === "lost") {
      const before = client.sid;
      await refresh(0, true);
      for (const [number, seconds] of step.retries.entries()) {
        clock.advance(seconds);
        if (client.sid === before) await refresh(number + 1, number < step.retries.length - 1);
      }
    } else if (step.do === "race") {
      const { token, sid } = client;
      for (let tab = 0; tab < step.tabs && client.sid === sid; tab++) {
        client.token = token;
        await refresh(tab);
      }
    } else {
      if (step.do === "logout") await process(step.at).revokeSession(client.sid);
      else {
        clock.advance(0.001);
        await process(step.at).revokeSubject("ada");
      }
      client.model.over = true;
    }
  }
  expect(told.filter((name) => name === "reused").length).toBe(thefts);
  expect(told.length).toBe(thefts);
  // Whatever is over stays over, in every process.
  for (const [number, { access, refresh }] of over.entries()) {
    const sid = String(claimsOf(access).sid);
    expect(await process(number).getSession(sid)).toBeUndefined();
    expect(await codeOf(() => process(number + 1).refreshTokenPair(refresh))).toMatch(/^(session_|token_expired)/);
  }
  const row = await stores.at(-1)?.read(client.sid);
  const isLive = !client.model.over && !isOver(client.model.row, clock());
  expect(row !== undefined && !isOver(row, clock())).toBe(isLive);
  if (isLive) expect([row?.gen, row?.racedCount]).toEqual([client.model.row.gen, client.model.row.racedCount]);
}
