import fc from "fast-check";
import { JWTManager, memoryStore, type SessionRow, type TokenPair } from "jwt-extended";
import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { decide, isOver } from "../../src/stores/rotation.ts";
import { codeOf } from "../support/asking.ts";
import { claimsOf } from "../support/forge.ts";
import { SECRET } from "../support/serve.ts";

const RUNS = { numRuns: 300 };
const GRACE = 10;

/** Everything that can happen to an honest client and its store. Seconds, and how many writes are lost. */
type Step =
  | { readonly do: "refresh" }
  | { readonly do: "race"; readonly tabs: number }
  | { readonly do: "lost"; readonly retries: readonly number[]; readonly losing: number }
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "lose"; readonly writes: number }
  | { readonly do: "logout" }
  | { readonly do: "revoke all" };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "refresh" } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("race" as const), tabs: fc.integer({ min: 2, max: 4 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("lost" as const),
      // All retries of one call together stay inside the grace.
      retries: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 2 }),
      losing: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 0, max: 40_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("lose" as const), writes: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: "logout" } as const) },
  { weight: 1, arbitrary: fc.constant({ do: "revoke all" } as const) },
);

/** A manager on a memory store that can be made to forget its last writes to a session. */
function make() {
  const clock = fakeClock(1_800_000_000_000);
  const store = memoryStore({ clock });
  clock.advance(60);
  const manager = new JWTManager({ secretKey: SECRET, clock, store, grace: GRACE, leeway: 0, warn: () => {} });
  const told: string[] = [];
  for (const name of ["reused", "suspicious"] as const) manager.on(name, () => told.push(name));
  return { clock, store, manager, told };
}

/** The rows of one session, newest last, as the pure function has them: what the manager says must agree with it. */
class Model {
  readonly rows: SessionRow[];
  over = false;

  constructor(row: SessionRow) {
    this.rows = [{ ...row }];
  }

  get row(): SessionRow {
    return this.rows.at(-1) as SessionRow;
  }

  /** What must become of a token of this generation; the row goes on accordingly. */
  present(gen: number, now: number): { code: string; gen: number } {
    if (this.over || isOver(this.row, now)) return { code: "session_ended", gen: -1 };
    const issuedAt = Math.floor(now / 1000);
    const who = { sid: this.row.sid, subject: "ada", jkt: undefined, userAgent: undefined, address: undefined };
    const times = { issuedAt, refreshExp: issuedAt + 30 * 86_400, grace: GRACE * 1000, endedUntil: now };
    const { outcome, row } = decide(this.row, { ...who, ...times, gen, nonce: "" }, now);
    if (outcome !== "raced" && row) this.rows.push({ ...row, op: "another" });
    return { code: outcome === "reused" ? "token_reused" : "fine", gen: row?.gen ?? -1 };
  }
}

describe("rotation, as an honest client and its store live through it", () => {
  it("agrees with the pure function at every step, and never tells an honest client of theft", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 25 }), async (script) => {
        const { clock, store, manager, told } = make();
        const open = async () => {
          const pair: TokenPair = await manager.createTokenPair("ada");
          const sid = String(claimsOf(pair.access_token).sid);
          return { sid, token: pair.refresh_token, model: new Model((await store.read(sid)) as SessionRow) };
        };
        let client = await open();

        /** Presents the token that the client holds; a good answer is kept unless it is lost on the way. */
        const refresh = async (isLost = false): Promise<void> => {
          const { gen, exp } = claimsOf(client.token) as { gen: number; exp: number };
          if (clock() / 1000 >= exp) {
            expect(await codeOf(() => manager.refreshTokenPair(client.token))).toBe("token_expired");
            client = await open();
            return;
          }
          const wanted = client.model.present(gen, clock());
          expect(wanted.code).not.toBe("token_reused");
          if (wanted.code === "session_ended") {
            // A store may have forgotten what was over.
            expect(await codeOf(() => manager.refreshTokenPair(client.token))).toMatch(/^session_(ended|unknown)$/);
            client = await open();
            return;
          }
          const { refresh_token } = await manager.refreshTokenPair(client.token);
          const { sid, issuedAt, refreshExp } = client.model.row;
          expect(claimsOf(refresh_token)).toMatchObject({ sid, gen: wanted.gen, iat: issuedAt, exp: refreshExp });
          if (!isLost) client.token = refresh_token;
        };
        /** The store comes back as it was some writes ago, as after a failover. */
        const lose = async (writes: number): Promise<void> => {
          const { model, sid } = client;
          if (model.over) return;
          for (let i = 0; i < writes && model.rows.length > 1; i++) model.rows.pop();
          Object.assign((await store.read(sid)) as object, model.row);
        };

        for (const step of script) {
          if (step.do === "refresh") await refresh();
          else if (step.do === "wait") clock.advance(step.seconds);
          else if (step.do === "lose") await lose(step.writes);
          else if (step.do === "lost") {
            const before = client.sid;
            await refresh(true);
            for (const [at, seconds] of step.retries.entries()) {
              if (at === 0) await lose(step.losing);
              clock.advance(seconds);
              if (client.sid === before) await refresh(at < step.retries.length - 1);
            }
          } else if (step.do === "race") {
            const { token, sid } = client;
            for (let tab = 0; tab < step.tabs && client.sid === sid; tab++) {
              client.token = token;
              await refresh();
            }
          } else {
            if (step.do === "logout") await manager.revokeSession(client.sid);
            else await manager.revokeSubject("ada");
            client.model.over = true;
          }
        }
        expect(told).toEqual([]);
      }),
      RUNS,
    );
  });

  it("gives tabs that ask in the same moment one successor", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 0, max: 3 }), async (tabs, before) => {
        const { manager, told } = make();
        let { refresh_token } = await manager.createTokenPair("ada");
        for (let i = 0; i < before; i++) ({ refresh_token } = await manager.refreshTokenPair(refresh_token));
        const pairs = await Promise.all(Array.from({ length: tabs }, () => manager.refreshTokenPair(refresh_token)));
        expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1);
        expect(new Set(pairs.map((pair) => pair.access_token)).size).toBe(tabs);
        expect(told).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe("rotation, where somebody has a copy", () => {
  it("ends the session as soon as both have come, later than the grace, whoever came first", async () => {
    const wait = fc.integer({ min: GRACE + 1, max: 80_000 });
    const moves = fc.array(fc.record({ thief: fc.boolean(), wait }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 4 }), moves, async (before, script) => {
        const { clock, manager, told } = make();
        let pair = await manager.createTokenPair("ada");
        for (let i = 0; i < before; i++) pair = await manager.refreshTokenPair(pair.refresh_token);
        const held = { thief: pair.refresh_token, honest: pair.refresh_token };
        const came = new Set<string>();
        let lastAccess = pair.access_token;
        for (const move of script) {
          clock.advance(move.wait);
          const who = move.thief ? "thief" : "honest";
          came.add(who);
          if (came.size === 2) break;
          const next = await manager.refreshTokenPair(held[who]);
          held[who] = next.refresh_token;
          lastAccess = next.access_token;
        }
        fc.pre(came.size === 2);
        const second = [...came][1] as "thief" | "honest";
        expect(await codeOf(() => manager.refreshTokenPair(held[second]))).toBe("token_reused");
        for (const token of [held.thief, held.honest])
          expect(await codeOf(() => manager.refreshTokenPair(token))).toBe("session_ended");
        expect(await manager.getSession(String(claimsOf(lastAccess).sid))).toBeUndefined();
        expect(told).toEqual(["reused"]);
      }),
      { numRuns: 200 },
    );
  });
});
