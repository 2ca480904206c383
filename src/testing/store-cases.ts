import type { NewSession, Presented, RevocationQuery, TokenStore } from "../stores/contract.ts";
import { type FakeClock, fakeClock } from "./clock.ts";

/** One promise of the store contract, as a test that any runner can run: it throws where the promise is broken. */
export interface StoreCase {
  readonly name: string;
  run(): Promise<void>;
}

/** Makes an empty store that reads its time from `clock`. */
export type StoreFactory = (clock: FakeClock) => TokenStore | Promise<TokenStore>;

/** Adds a case: the store is a minute old when `body` begins. */
export type AddCase = (name: string, body: (store: TokenStore, clock: FakeClock) => Promise<void>) => void;

const YEAR = 31_536_000_000;
/** Seconds. */
export const REFRESH_LIFE = 86_400;

/** Collects cases that each get an empty store of their own. */
export function collectCases(create: StoreFactory, define: (add: AddCase) => void): readonly StoreCase[] {
  const cases: StoreCase[] = [];
  define((name, body) => {
    const run = async (): Promise<void> => {
      const clock = fakeClock(1_700_000_000_500);
      const store = await create(clock);
      clock.advance(60);
      await body(store, clock);
    };
    cases.push({ name, run });
  });
  return cases;
}

/** @throws Error where a promise is broken. */
export function expect(what: string, actual: unknown, wanted: unknown): void {
  if (!Object.is(actual, wanted)) throw new Error(`${what}: expected ${String(wanted)}, got ${String(actual)}`);
}

/** A login at this moment. */
export function login(subject: string, clock: FakeClock, more: Partial<NewSession> = {}): NewSession {
  const now = Math.floor(clock() / 1000);
  return {
    subject,
    authTime: now,
    absoluteEnd: clock() + YEAR,
    issuedAt: now,
    refreshExp: now + REFRESH_LIFE,
    claims: { tenant: "acme" },
    headers: { kid: "k1" },
    userAgent: "a browser",
    address: "a hash",
    jkt: undefined,
    ...more,
  };
}

/** A question about a token of this subject. */
export function about(subject: string, rest: Partial<RevocationQuery> = {}): RevocationQuery {
  return { subject, jti: undefined, sid: undefined, issuer: undefined, kid: undefined, iat: undefined, ...rest };
}

let nonces = 0;

/** A refresh token of some generation, presented at this moment with ten seconds of grace. */
export function presented(sid: string, gen: number, clock: FakeClock, more: Partial<Presented> = {}): Presented {
  const issuedAt = Math.floor(clock() / 1000);
  nonces++;
  return {
    sid,
    subject: "alice",
    gen,
    nonce: `nonce-${nonces}`,
    jkt: undefined,
    userAgent: undefined,
    address: undefined,
    issuedAt,
    refreshExp: issuedAt + REFRESH_LIFE,
    grace: 10_000,
    endedUntil: clock() + YEAR,
    ...more,
  };
}

/** When an entry that outlives the case may go. */
export const later = (clock: FakeClock): number => clock() + YEAR;
