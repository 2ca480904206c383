import fc from "fast-check";
import { JWTManager, type SessionRow } from "jwt-extended";
import type { FakeClock } from "jwt-extended/testing";
import { expect } from "vitest";
import { decide, isOver } from "../../src/stores/rotation.ts";
import { codeOf } from "./asking.ts";
import { claimsOf } from "./forge.ts";
import { SECRET } from "./serve.ts";
import type { Copy, Given, StoreKit } from "./store-kits.ts";

const GRACE = 10;
/** How many writes back a store can fall. */
const KEPT = 3;

/** Everything that can happen to an honest client and its store, over one of two processes. Seconds, and writes lost. */
export type Step =
  | { readonly do: "refresh"; readonly at: number }
  | { readonly do: "race"; readonly tabs: number }
  | { readonly do: "crowd"; readonly tabs: number }
  | { readonly do: "lost"; readonly retries: readonly number[]; readonly losing: number }
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "purge" }
  | { readonly do: "lose"; readonly of: "sessions" | "all"; readonly writes: number }
  | { readonly do: "lose everything" }
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
  { weight: 6, arbitrary: named("refresh", { at }) },
  { weight: 2, arbitrary: named("race", { tabs }) },
  { weight: 2, arbitrary: named("crowd", { tabs }) },
  {
    weight: 4,
    arbitrary: named("lost", {
      // All retries of one call together stay inside the grace.
      retries: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 2 }),
      losing: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 2, arbitrary: named("wait", { seconds: fc.integer({ min: 0, max: 40_000 }) }) },
  { weight: 2, arbitrary: named("wait", { seconds: fc.integer({ min: 0, max: 2 * GRACE }) }) },
  { weight: 1, arbitrary: named("purge", {}) },
  {
    weight: 3,
    arbitrary: named("lose", {
      of: fc.constantFrom("sessions" as const, "all" as const),
      writes: fc.integer({ min: 1, max: KEPT }),
    }),
  },
  { weight: 1, arbitrary: named("lose everything", {}) },
  { weight: 1, arbitrary: named("logout", { at }) },
  { weight: 1, arbitrary: named("revoke all", { at }) },
  { weight: 2, arbitrary: named("theft", {}) },
);

/** A session as the pure function has it. */
interface Kept {
  readonly row: SessionRow;
  readonly over: boolean;
}

/** What a store must know: its sessions, how many revocations it has taken, and how often it began anew. */
class Model {
  sessions = new Map<string, Kept>();
  revocations = 0;
  life = 0;

  /** Whether a session is over, or unknown. */
  isOver(sid: string, now: number): boolean {
    const kept = this.sessions.get(sid);
    return kept === undefined || kept.over || isOver(kept.row, now);
  }

  row(sid: string): SessionRow {
    return this.sessions.get(sid)?.row as SessionRow;
  }

  change(sid: string, row: Partial<SessionRow>): void {
    const kept = this.sessions.get(sid) as Kept;
    this.sessions.set(sid, { ...kept, row: { ...kept.row, ...row } });
  }

  end(...sids: readonly string[]): void {
    this.revocations++;
    for (const sid of sids) this.sessions.set(sid, { row: this.row(sid), over: true });
  }

  /** What must become of a token of this generation; the row goes on accordingly. */
  present(sid: string, gen: number, now: number): { code: string; gen: number } {
    if (this.isOver(sid, now)) return { code: "session_ended", gen: -1 };
    const issuedAt = Math.floor(now / 1000);
    const who = { sid, subject: "ada", jkt: undefined, userAgent: undefined, address: undefined };
    const times = { issuedAt, refreshExp: issuedAt + 30 * 86_400, grace: GRACE * 1000, endedUntil: now };
    const { outcome, row } = decide(this.row(sid), { ...who, ...times, gen, nonce: "" }, now);
    if (row) this.change(sid, { ...row, op: "another" });
    if (outcome === "reused") this.end(sid);
    return { code: outcome === "reused" ? "token_reused" : "fine", gen: row?.gen ?? -1 };
  }

  copy(): Model {
    return Object.assign(new Model(), this, { sessions: new Map(this.sessions) });
  }
}

/**
 * Lives a script through on two processes over one store; what managers and stores say must agree with the model. An
 * honest client may be logged out by what a store loses, and is never told theft.
 */
export async function live(kit: StoreKit, given: Given, clock: FakeClock, script: readonly Step[]): Promise<void> {
  const told: string[] = [];
  const stores = [given.store, given.other()];
  const managers = stores.map((store) => {
    const options = { secretKey: SECRET, clock, store, grace: GRACE, leeway: 0, storeTimeout: 20, warn: () => {} };
    const manager = new JWTManager(options);
    for (const name of ["reused", "suspicious"] as const) manager.on(name, () => told.push(name));
    return manager;
  });
  const process = (number: number): JWTManager => managers[number % managers.length] as JWTManager;

  let model = new Model();
  const past: { readonly model: Model; readonly copy: Copy; readonly sid: string }[] = [];
  /** To be called before each write: a store may come back as it is now. */
  const remember = async (sid: string): Promise<void> => {
    past.push({ model: model.copy(), copy: await given.copy(sid), sid });
    if (past.length > KEPT) past.shift();
  };
  const logins: { readonly sid: string; readonly token: string }[] = [];
  const open = async (before = "") => {
    await remember(before);
    const { access_token: access, refresh_token: token } = await process(0).createTokenPair("ada");
    const sid = String(claimsOf(access).sid);
    model.sessions.set(sid, { row: (await given.store.read(sid)) as SessionRow, over: false });
    logins.push({ sid, token });
    return { sid, token, spent: [] as string[] };
  };
  let client = await open();
  let thefts = 0;
  const finish = async (): Promise<void> => {
    client = await open(client.sid);
  };

  /** Presents the token that the client holds; a good answer is kept unless it is lost on the way. */
  const refresh = async (number: number, isLost = false): Promise<void> => {
    const { sid, token } = client;
    const { gen, exp } = claimsOf(token) as { gen: number; exp: number };
    const call = () => process(number).refreshTokenPair(token);
    if (clock() / 1000 >= exp) {
      expect(await codeOf(call)).toBe("token_expired");
      return finish();
    }
    await remember(sid);
    const wanted = model.present(sid, gen, clock());
    expect(wanted.code).not.toBe("token_reused");
    if (wanted.code === "session_ended") {
      // A store may have forgotten what was over.
      expect(await codeOf(call)).toMatch(/^session_(ended|unknown)$/);
      return finish();
    }
    const { refresh_token } = await call();
    const { issuedAt, refreshExp } = model.row(sid);
    expect(claimsOf(refresh_token)).toMatchObject({ sid, gen: wanted.gen, iat: issuedAt, exp: refreshExp });
    if (isLost) return;
    if (refresh_token !== token) client.spent.push(token);
    client.token = refresh_token;
    logins.push({ sid, token: refresh_token });
  };
  const crowd = async (count: number): Promise<void> => {
    const { token, sid } = client;
    await refresh(0);
    if (client.sid !== sid || model.isOver(sid, clock())) return;
    await remember(sid);
    const mine = claimsOf(client.token);
    const asked = Array.from({ length: count }, (_, tab) => process(tab).refreshTokenPair(token));
    for (const { refresh_token } of await Promise.all(asked)) expect(claimsOf(refresh_token)).toEqual(mine);
    model.change(sid, { racedCount: model.row(sid).racedCount + count });
  };
  /** Somebody comes with a token that was exchanged too long ago, the latest of them, and the session ends. */
  const theft = async (): Promise<void> => {
    const { sid, spent } = client;
    const isTheft = (token: string) =>
      model.copy().present(sid, Number(claimsOf(token).gen), clock()).code === "token_reused";
    const old = spent.findLast(isTheft);
    if (old === undefined || clock() / 1000 >= Number(claimsOf(old).exp)) return;
    await remember(sid);
    expect(model.present(sid, Number(claimsOf(old).gen), clock()).code).toBe("token_reused");
    expect(await codeOf(() => process(1).refreshTokenPair(old))).toBe("token_reused");
    thefts++;
    await refresh(0);
  };
  /** A process that has not heard of a revocation cannot miss it, and one that missed a beginning may begin once more. */
  const look = async (): Promise<void> => {
    for (const manager of managers) await manager.getSession(client.sid);
  };
  const loseEverything = async (): Promise<void> => {
    await remember(client.sid);
    await given.empty();
    await look();
    model.end(...model.sessions.keys());
    model.life++;
  };
  /** The store comes back as it was some writes ago, as after a failover; in full, or with all it knew of revocations. */
  const lose = async (writes: number, of: "sessions" | "all"): Promise<void> => {
    const back = past.at(-writes);
    if (back === undefined) return;
    if (of === "sessions") {
      if (back.sid !== client.sid || model.isOver(client.sid, clock())) return;
      await back.copy.sessions();
      model.change(client.sid, back.model.row(client.sid));
      return;
    }
    if (!back.copy.all) return loseEverything();
    await look();
    await back.copy.all();
    const { revocations, life } = model;
    model = back.model.copy();
    const misses = kit.noticesOldCopies && model.revocations < revocations;
    if (model.life < life || misses) {
      model.revocations = revocations;
      model.life = life + 1;
      model.end(...model.sessions.keys());
    }
    past.length = 0;
  };

  for (const step of script) {
    if (step.do === "refresh") await refresh(step.at);
    else if (step.do === "wait") clock.advance(step.seconds);
    else if (step.do === "purge") for (const manager of managers) await manager.purge();
    else if (step.do === "crowd") await crowd(step.tabs);
    else if (step.do === "theft") await theft();
    else if (step.do === "lose") await lose(step.writes, step.of);
    else if (step.do === "lose everything") await loseEverything();
    else if (step.do === "lost") {
      const before = client.sid;
      await refresh(0, true);
      for (const [number, seconds] of step.retries.entries()) {
        if (number === 0 && step.losing > 0) await lose(step.losing, "sessions");
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
      await remember(client.sid);
      if (step.do === "logout") {
        await process(step.at).revokeSession(client.sid);
        if (model.sessions.has(client.sid)) model.end(client.sid);
      } else {
        clock.advance(0.001);
        await process(step.at).revokeSubject("ada");
        model.end(...model.sessions.keys());
      }
    }
  }
  expect(told).toEqual(Array.from({ length: thefts }, () => "reused"));
  // Whatever is over stays over, in every process.
  for (const [number, { sid, token }] of logins.entries()) {
    if (!model.isOver(sid, clock())) continue;
    expect(await process(number).getSession(sid)).toBeUndefined();
    expect(await codeOf(() => process(number + 1).refreshTokenPair(token))).toMatch(/^(session_|token_expired)/);
  }
  for (const [number, store] of stores.entries()) {
    const row = await store.read(client.sid);
    const isLive = !model.isOver(client.sid, clock());
    expect([number, row !== undefined && !isOver(row, clock())]).toEqual([number, isLive]);
    if (isLive)
      expect([row?.gen, row?.racedCount]).toEqual([model.row(client.sid).gen, model.row(client.sid).racedCount]);
  }
}
