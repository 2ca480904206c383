import type { NewSession, TokenStore } from "../stores/contract.ts";
import type { FakeClock } from "./clock.ts";
import { fakeClock } from "./clock.ts";

/** One promise of the store contract, as a test that any runner can run: it throws where the promise is broken. */
export interface StoreCase {
  readonly name: string;
  run(): Promise<void>;
}

/** Makes an empty store that reads its time from `clock`. */
export type StoreFactory = (clock: FakeClock) => TokenStore | Promise<TokenStore>;

const YEAR = 31_536_000_000;

function expect(what: string, actual: unknown, wanted: unknown): void {
  if (!Object.is(actual, wanted)) throw new Error(`${what}: expected ${String(wanted)}, got ${String(actual)}`);
}

/**
 * The cases that every `TokenStore` must pass.
 *
 * @example
 * for (const { name, run } of storeContract((clock) => memoryStore({ clock }))) test(name, run);
 */
export function storeContract(create: StoreFactory): readonly StoreCase[] {
  const cases: StoreCase[] = [];
  const add = (name: string, body: (store: TokenStore, clock: FakeClock) => Promise<void>): void => {
    cases.push({
      name,
      run: async () => {
        const clock = fakeClock(1_700_000_000_500);
        const store = await create(clock);
        clock.advance(60);
        await body(store, clock);
      },
    });
  };
  const login = (subject: string, clock: FakeClock): NewSession => {
    const now = Math.floor(clock() / 1000);
    return {
      subject,
      authTime: now,
      absoluteEnd: clock() + YEAR,
      issuedAt: now,
      refreshExp: now + 86_400,
      claims: { tenant: "acme" },
      headers: { kid: "k1" },
    };
  };
  const of = (subject: string, rest: { jti?: string; sid?: string; iat?: number; issuer?: string } = {}) => ({
    subject,
    jti: rest.jti,
    sid: rest.sid,
    issuer: rest.issuer,
    iat: rest.iat,
  });

  add("a session that was opened can be read, and is its subject's", async (store, clock) => {
    const row = await store.open(login("alice", clock));
    const read = await store.read(row.sid);
    expect("subject", read?.subject, "alice");
    expect("claims", JSON.stringify(read?.claims), '{"tenant":"acme"}');
    expect("headers", JSON.stringify(read?.headers), '{"kid":"k1"}');
    expect("generation", read?.gen, 0);
    expect("end", read?.endedAt, undefined);
    expect("seed", Buffer.from(read?.csrfSeed ?? []).toString("hex"), Buffer.from(row.csrfSeed).toString("hex"));
    expect("seed length", row.csrfSeed.length, 16);
  });
  add("an unknown session is none", async (store) => {
    expect("row", await store.read("AYvP5WjwAAAAAAAAAAAAAAAAAAAAAA"), undefined);
  });
  add("a hundred sessions opened at once are a hundred", async (store, clock) => {
    const rows = await Promise.all(Array.from({ length: 100 }, () => store.open(login("alice", clock))));
    expect("sids", new Set(rows.map(({ sid }) => sid)).size, 100);
    expect("seeds", new Set(rows.map(({ csrfSeed }) => Buffer.from(csrfSeed).toString("hex"))).size, 100);
  });
  add("a revoked token is revoked, any other is not", async (store, clock) => {
    const iat = Math.floor(clock() / 1000);
    await store.revoke({ kind: "token", jti: "one", issuer: undefined, until: clock() + 900_000 });
    expect("one", await store.isRevoked(of("alice", { jti: "one", iat })), true);
    expect("two", await store.isRevoked(of("alice", { jti: "two", iat })), false);
    expect("one of another issuer", await store.isRevoked(of("alice", { jti: "one", iat, issuer: "else" })), false);
  });
  add("a token of another issuer is revoked under its issuer", async (store, clock) => {
    const iat = Math.floor(clock() / 1000);
    await store.revoke({ kind: "token", jti: "one", issuer: "else", until: clock() + 900_000 });
    expect("there", await store.isRevoked(of("alice", { jti: "one", iat, issuer: "else" })), true);
    expect("here", await store.isRevoked(of("alice", { jti: "one", iat })), false);
  });
  add("an ended session takes its tokens along, twice is fine, and its neighbour lives", async (store, clock) => {
    const [one, two] = await Promise.all([store.open(login("alice", clock)), store.open(login("alice", clock))]);
    await store.revoke({ kind: "session", sid: one.sid, until: clock() + 900_000 });
    await store.revoke({ kind: "session", sid: one.sid, until: clock() + 900_000 });
    expect("ended", (await store.read(one.sid))?.endedAt !== undefined, true);
    expect("its token", await store.isRevoked(of("alice", { sid: one.sid })), true);
    expect("the other", await store.isRevoked(of("alice", { sid: two.sid })), false);
    expect("the other's row", (await store.read(two.sid))?.endedAt, undefined);
  });
  add(
    "revoking a subject ends what began before, and no login after it, in the same millisecond",
    async (store, clock) => {
      const before = await store.open(login("alice", clock));
      const other = await store.open(login("bob", clock));
      await store.revoke({ kind: "subject", subject: "alice", until: clock() + YEAR });
      const after = await store.open(login("alice", clock));
      expect("before", await store.isRevoked(of("alice", { sid: before.sid })), true);
      expect("row before", (await store.read(before.sid))?.endedAt !== undefined, true);
      expect("after", await store.isRevoked(of("alice", { sid: after.sid })), false);
      expect("row after", (await store.read(after.sid))?.endedAt, undefined);
      expect("bob", await store.isRevoked(of("bob", { sid: other.sid })), false);
    },
  );
  add("a token of no session dies with its subject up to the whole second", async (store, clock) => {
    const second = Math.floor(clock() / 1000);
    await store.revoke({ kind: "subject", subject: "alice", until: clock() + YEAR });
    expect("this second", await store.isRevoked(of("alice", { iat: second })), true);
    expect("no iat", await store.isRevoked(of("alice", {})), true);
    expect("next second", await store.isRevoked(of("alice", { iat: second + 1 })), false);
  });
  add("an epoch is never lowered by a clock that moves back", async (store, clock) => {
    const second = Math.floor(clock() / 1000);
    await store.revoke({ kind: "subject", subject: "alice", until: clock() + YEAR });
    clock.advance(-30);
    await store.revoke({ kind: "subject", subject: "alice", until: clock() + YEAR });
    expect("still", await store.isRevoked(of("alice", { iat: second })), true);
    const late = await store.open(login("alice", clock));
    expect("a login now", await store.isRevoked(of("alice", { sid: late.sid })), false);
  });
  add("subjects that differ in case, accent or trailing blanks never touch each other", async (store, clock) => {
    const names = ["alice", "ALICE", "alice  ", "álice"];
    const rows = await Promise.all(names.map((name) => store.open(login(name, clock))));
    await store.revoke({ kind: "subject", subject: "alice", until: clock() + YEAR });
    const revoked = await Promise.all(rows.map(({ sid }, at) => store.isRevoked(of(names[at] as string, { sid }))));
    expect("revoked", revoked.join(), "true,false,false,false");
  });
  add("an entry is kept as long as it must be, and purged after", async (store, clock) => {
    const iat = Math.floor(clock() / 1000);
    await store.revoke({ kind: "token", jti: "one", issuer: undefined, until: clock() + 900_000 });
    await store.revoke({ kind: "token", jti: "for-ever", issuer: undefined, until: Number.POSITIVE_INFINITY });
    clock.advance(899);
    await store.purge();
    expect("in time", await store.isRevoked(of("alice", { jti: "one", iat })), true);
    clock.advance(2);
    expect("purged", (await store.purge()) >= 1, true);
    expect("for ever", await store.isRevoked(of("alice", { jti: "for-ever", iat })), true);
  });
  add("a store that has forgotten logs everyone out", async (_store, clock) => {
    const old = await create(clock);
    clock.advance(1);
    const row = await old.open(login("alice", clock));
    clock.advance(5);
    const fresh = await create(clock);
    expect("a session of before", await fresh.isRevoked(of("alice", { sid: row.sid })), true);
    expect("a token of before", await fresh.isRevoked(of("alice", { iat: Math.floor(clock() / 1000) - 2 })), true);
  });
  return cases;
}
