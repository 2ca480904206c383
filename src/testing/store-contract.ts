import { feedCases } from "./feed-cases.ts";
import { rotationCases } from "./rotation-cases.ts";
import {
  type AddCase,
  about,
  collectCases,
  expect,
  later,
  login,
  type StoreCase,
  type StoreFactory,
} from "./store-cases.ts";

/**
 * The cases that every `TokenStore` must pass, concurrency included.
 *
 * @example
 * for (const { name, run } of storeContract((clock) => memoryStore({ clock }))) test(name, run);
 */
export function storeContract(create: StoreFactory): readonly StoreCase[] {
  return collectCases(create, (add) => {
    sessionCases(add);
    revocationCases(add, create);
    rotationCases(add);
    spendingCases(add);
    feedCases(add);
  });
}

function sessionCases(add: AddCase): void {
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
}

function revocationCases(add: AddCase, create: StoreFactory): void {
  add("a revoked token is revoked, any other is not", async (store, clock) => {
    const iat = Math.floor(clock() / 1000);
    await store.revoke({ kind: "token", jti: "one", issuer: undefined, until: clock() + 900_000 });
    expect("one", await store.isRevoked(about("alice", { jti: "one", iat })), true);
    expect("two", await store.isRevoked(about("alice", { jti: "two", iat })), false);
    expect("one of another issuer", await store.isRevoked(about("alice", { jti: "one", iat, issuer: "else" })), false);
  });
  add("a token of another issuer is revoked under its issuer", async (store, clock) => {
    const iat = Math.floor(clock() / 1000);
    await store.revoke({ kind: "token", jti: "one", issuer: "else", until: clock() + 900_000 });
    expect("there", await store.isRevoked(about("alice", { jti: "one", iat, issuer: "else" })), true);
    expect("here", await store.isRevoked(about("alice", { jti: "one", iat })), false);
  });
  add("an ended session takes its tokens along, twice is fine, and its neighbour lives", async (store, clock) => {
    const [one, two] = await Promise.all([store.open(login("alice", clock)), store.open(login("alice", clock))]);
    await store.revoke({ kind: "session", sid: one.sid, until: clock() + 900_000 });
    await store.revoke({ kind: "session", sid: one.sid, until: clock() + 900_000 });
    expect("ended", (await store.read(one.sid))?.endedAt !== undefined, true);
    expect("its token", await store.isRevoked(about("alice", { sid: one.sid })), true);
    expect("the other", await store.isRevoked(about("alice", { sid: two.sid })), false);
    expect("the other's row", (await store.read(two.sid))?.endedAt, undefined);
  });
  add(
    "revoking a subject ends what began before, and no login after it, in the same millisecond",
    async (store, clock) => {
      const before = await store.open(login("alice", clock));
      const other = await store.open(login("bob", clock));
      await store.revoke({ kind: "subject", subject: "alice", until: later(clock) });
      const after = await store.open(login("alice", clock));
      expect("before", await store.isRevoked(about("alice", { sid: before.sid })), true);
      expect("row before", (await store.read(before.sid))?.endedAt !== undefined, true);
      expect("after", await store.isRevoked(about("alice", { sid: after.sid })), false);
      expect("row after", (await store.read(after.sid))?.endedAt, undefined);
      expect("bob", await store.isRevoked(about("bob", { sid: other.sid })), false);
    },
  );
  add("a token of no session dies with its subject up to the whole second", async (store, clock) => {
    const second = Math.floor(clock() / 1000);
    await store.revoke({ kind: "subject", subject: "alice", until: later(clock) });
    expect("this second", await store.isRevoked(about("alice", { iat: second })), true);
    expect("no iat", await store.isRevoked(about("alice", {})), true);
    expect("next second", await store.isRevoked(about("alice", { iat: second + 1 })), false);
  });
  add("an epoch is never lowered by a clock that moves back", async (store, clock) => {
    const second = Math.floor(clock() / 1000);
    await store.revoke({ kind: "subject", subject: "alice", until: later(clock) });
    clock.advance(-30);
    await store.revoke({ kind: "subject", subject: "alice", until: later(clock) });
    expect("still", await store.isRevoked(about("alice", { iat: second })), true);
    const late = await store.open(login("alice", clock));
    expect("a login now", await store.isRevoked(about("alice", { sid: late.sid })), false);
  });
  add("subjects that differ in case, accent or trailing blanks never touch each other", async (store, clock) => {
    const names = ["alice", "ALICE", "alice  ", "álice"];
    const rows = await Promise.all(names.map((name) => store.open(login(name, clock))));
    await store.revoke({ kind: "subject", subject: "alice", until: later(clock) });
    const revoked = await Promise.all(rows.map(({ sid }, at) => store.isRevoked(about(names[at] as string, { sid }))));
    expect("revoked", revoked.join(), "true,false,false,false");
  });
  add("an entry is kept as long as it must be, and purged after", async (store, clock) => {
    const iat = Math.floor(clock() / 1000);
    await store.revoke({ kind: "token", jti: "one", issuer: undefined, until: clock() + 900_000 });
    await store.revoke({ kind: "token", jti: "for-ever", issuer: undefined, until: Number.POSITIVE_INFINITY });
    clock.advance(899);
    await store.purge();
    expect("in time", await store.isRevoked(about("alice", { jti: "one", iat })), true);
    clock.advance(2);
    expect("purged", (await store.purge()) >= 1, true);
    expect("for ever", await store.isRevoked(about("alice", { jti: "for-ever", iat })), true);
  });
  add("a store that has forgotten logs everyone out", async (_store, clock) => {
    const old = await create(clock);
    clock.advance(1);
    const row = await old.open(login("alice", clock));
    clock.advance(5);
    const fresh = await create(clock);
    expect("a session of before", await fresh.isRevoked(about("alice", { sid: row.sid })), true);
    expect("a token of before", await fresh.isRevoked(about("alice", { iat: Math.floor(clock() / 1000) - 2 })), true);
  });
  add("a revoked key takes every token it signed along", async (store, clock) => {
    const iat = Math.floor(clock() / 1000);
    await store.revoke({ kind: "key", kid: "k1", until: later(clock) });
    expect("its token", await store.isRevoked(about("alice", { jti: "one", iat, kid: "k1" })), true);
    expect("another key", await store.isRevoked(about("alice", { jti: "one", iat, kid: "k2" })), false);
  });
  add("revoking everything ends every login before it, and none after", async (store, clock) => {
    const before = await store.open(login("alice", clock));
    await store.revoke({ kind: "everything", until: later(clock) });
    const after = await store.open(login("alice", clock));
    expect("before", await store.isRevoked(about("alice", { sid: before.sid })), true);
    expect("row before", (await store.read(before.sid))?.endedAt !== undefined, true);
    expect("after", await store.isRevoked(about("alice", { sid: after.sid })), false);
    expect("no session", await store.isRevoked(about("bob", { iat: Math.floor(clock() / 1000) })), true);
  });
  add(
    "a revocation reaches every login before it, in one millisecond and after the clock has moved back",
    async (store, clock) => {
      await store.revoke({ kind: "subject", subject: "alice", until: later(clock) });
      const pushed = await store.open(login("alice", clock));
      await store.revoke({ kind: "subject", subject: "alice", until: later(clock) });
      expect("born past the clock", await store.isRevoked(about("alice", { sid: pushed.sid })), true);
      clock.advance(30);
      const ahead = await store.open(login("bob", clock));
      clock.advance(-30);
      await store.revoke({ kind: "everything", until: later(clock) });
      expect("born ahead of the clock", await store.isRevoked(about("bob", { sid: ahead.sid })), true);
      const after = await store.open(login("bob", clock));
      expect("a login after it", await store.isRevoked(about("bob", { sid: after.sid })), false);
    },
  );
  add("limits are raised, and never lowered", async (store) => {
    await store.raiseLimits({ access: 3600, refresh: Number.POSITIVE_INFINITY });
    const highest = await store.raiseLimits({ access: 900, refresh: 86_400 });
    expect("access", highest.access, 3600);
    expect("refresh", highest.refresh, Number.POSITIVE_INFINITY);
  });
}

function spendingCases(add: AddCase): void {
  add("a name can be taken once, until its time has passed", async (store, clock) => {
    const until = clock() + 60_000;
    expect("first", await store.spend("a name", until), true);
    expect("again", await store.spend("a name", until), false);
    expect("another", await store.spend("A name", until), true);
    clock.advance(59.999);
    expect("in time", await store.spend("a name", clock() + 60_000), false);
    clock.advance(0.001);
    expect("after it", await store.spend("a name", clock() + 60_000), true);
    expect("again after it", await store.spend("a name", clock() + 60_000), false);
  });
  add("of fifty who take a name at once one gets it, also where it had been taken before", async (store, clock) => {
    for (let round = 0; round < 3; round++) {
      const until = clock() + 60_000;
      const takers = await Promise.all(Array.from({ length: 50 }, () => store.spend("a name", until)));
      expect("takers", takers.filter(Boolean).length, 1);
      clock.advance(61);
    }
  });
  add("a name that is taken revokes nothing, and may go when its time has passed", async (store, clock) => {
    const iat = Math.floor(clock() / 1000);
    await store.spend("one", clock() + 1_000);
    await store.spend("two", clock() + 60_000);
    expect("token", await store.isRevoked(about("alice", { jti: "one", iat })), false);
    clock.advance(2);
    await store.purge();
    expect("kept", await store.spend("two", clock() + 60_000), false);
  });
}
