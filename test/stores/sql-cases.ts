import type { Presented, Revocation, TokenStore } from "jwt-extended";
import { type FakeClock, fakeClock } from "jwt-extended/testing";
import { expect, it } from "vitest";
import type { SqlStore, SqlStoreOptions } from "../../src/stores/sql/store.ts";
import { about, login, presented } from "../../src/testing/store-cases.ts";

/** Tables of one test, and stores over them. */
export interface SqlTables {
  /** Another store over the same tables, as another process has it. */
  store(options?: SqlStoreOptions & { readonly clock?: (() => number) | undefined }): SqlStore;
  /** Runs a statement beside the stores. `jx_` in it stands for the prefix. */
  run(statement: string): Promise<readonly Record<string, unknown>[]>;
  /** Whether the columns of keys hold 16 bytes, whatever is written to them: no shorter one can come to be there. */
  readonly fixedKeys?: true;
}

const DAY = 86_400_000;
/** Those that hold a mark of the store: none of them can be emptied unseen. */
const MARKED = ["meta", "flags", "epochs", "spent"];
const TABLES = [...MARKED, "sessions", "feed", "pulse"];
const now = (): FakeClock => fakeClock(Date.now());
const opened = (store: TokenStore, subject = "alice") => store.open(login(subject, now()));
const present = (sid: string, gen: number, more: Partial<Presented> = {}) => presented(sid, gen, now(), more);
const ended = (sid: string): Revocation => ({ kind: "session", sid, until: Date.now() + DAY });
const distinct = (values: readonly unknown[]) => [...new Set(values.map((value) => JSON.stringify(value)))];

/** Tells how often a store said that it had forgotten. */
function noticesOf(store: SqlStore): string[] {
  const notices: string[] = [];
  store.listen?.((notice) => notices.push(notice));
  return notices;
}

/** Names tables that nobody used before; where they are `bare` they are not there yet, else they may be. */
export type FreshTables = (are?: "bare") => Promise<SqlTables>;

/** What every SQL store promises beyond the contract. */
export function sqlCases(fresh: FreshTables): void {
  it.each([1, 2])("fifty rotations at once over %i stores make one family and end nobody", async (count) => {
    const { store, run } = await fresh();
    const stores = Array.from({ length: count }, () => store());
    for (let round = 0; round < 20; round++) {
      const { sid } = await opened(stores[0] as SqlStore);
      const racers = Array.from({ length: 50 }, (_, at) => (stores[at % count] as SqlStore).rotate(present(sid, 0)));
      const answers = await Promise.all(racers);
      const outcomes = answers.map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === "rotated").length).toBe(1);
      expect(outcomes.filter((outcome) => outcome === "raced").length).toBe(49);
      const successors = answers.map(({ row }) => [row?.sid, row?.gen, row?.subject, row?.issuedAt, row?.refreshExp]);
      expect(distinct(successors).length).toBe(1);
      const row = await (stores[0] as SqlStore).read(sid);
      expect([row?.gen, row?.endedAt, row?.racedCount]).toEqual([1, undefined, 49]);
    }
    expect(await run("select id from jx_flags")).toHaveLength(1);
  });

  it("without a grace one of fifty rotates, one is theft, and the session is over", async () => {
    const { store } = await fresh();
    let time = Date.now();
    const ticking = (): number => time++;
    const stores = [store({ clock: ticking }), store({ clock: ticking })];
    const { sid } = await opened(stores[0] as SqlStore);
    const racers = Array.from({ length: 50 }, (_, at) =>
      (stores[at % 2] as SqlStore).rotate(present(sid, 0, { grace: 0 })),
    );
    const outcomes = (await Promise.all(racers)).map(({ outcome }) => outcome).sort();
    expect(outcomes).toEqual(["reused", "rotated", ...Array(48).fill("session_ended")].sort());
    expect(await stores[1]?.isRevoked(about("alice", { sid }))).toBe(true);
    expect((await stores[1]?.rotate(present(sid, 1)))?.outcome).toBe("session_ended");
  });

  it("the retry of a call rotates once", async () => {
    const { store } = await fresh();
    const one = store();
    const { sid } = await opened(one);
    const call = present(sid, 0, { grace: 0 });
    const answers = [await one.rotate(call), await one.rotate(call), await store().rotate(call)];
    expect(answers.map(({ outcome }) => outcome)).toEqual(["rotated", "rotated", "rotated"]);
    expect((await one.read(sid))?.gen).toBe(1);
  });

  it("after a race of refreshes and revocations nothing works", async () => {
    const { store } = await fresh();
    const [one, two] = [store(), store()];
    for (let round = 0; round < 20; round++) {
      const { sid } = await opened(one);
      const revocations: Revocation[] = [ended(sid), { kind: "subject", subject: "alice", until: Date.now() + DAY }];
      const revocation = revocations[round % 2] as Revocation;
      const racers = [0, 1, 2, 3].map((at) => (at % 2 ? one : two).rotate(present(sid, 0)));
      await Promise.all([...racers, two.revoke(revocation)]);
      for (const gen of [0, 1, 2]) expect((await one.rotate(present(sid, gen))).outcome).toBe("session_ended");
      expect(await one.isRevoked(about("alice", { sid }))).toBe(true);
      expect(await two.list("alice")).toEqual([]);
    }
  });

  it("keeps subjects and ids apart that differ in case, accents, blanks or what text columns do not take", async () => {
    const { store } = await fresh();
    const one = store();
    const names = ["alice", "ALICE", "alice ", "álice", "a\u0301lice", "alice\0", "\0", "", "\ud800", "\ud801", "🙂"];
    const rows = await Promise.all(names.map((name) => opened(one, name)));
    for (const [at, name] of names.entries()) {
      expect((await one.list(name)).map(({ sid, subject }) => [sid, subject])).toEqual([[rows[at]?.sid, name]]);
      expect((await one.rotate(present(rows[at]?.sid ?? "", 0, { subject: name }))).outcome).toBe("rotated");
    }
    await one.revoke({ kind: "subject", subject: "alice\0", until: Date.now() + DAY });
    const dead = await Promise.all(names.map((name, at) => one.isRevoked(about(name, { sid: rows[at]?.sid }))));
    expect(dead).toEqual(names.map((name) => name === "alice\0"));
    const iat = Math.floor(Date.now() / 1000) + 5;
    await one.revoke({ kind: "token", jti: "a\0b", issuer: "x\0y", until: Date.now() + DAY });
    expect(await one.isRevoked(about("bob", { jti: "a\0b", issuer: "x\0y", iat }))).toBe(true);
    expect(await one.isRevoked(about("bob", { jti: "y\0a\0b", issuer: "x", iat }))).toBe(false);
    expect(await one.isRevoked(about("bob", { jti: "a", issuer: "x\0y", iat }))).toBe(false);
  });

  it("gives back what was given, whatever is in it", async () => {
    const { store } = await fresh();
    const odd = "nul \0 quote ' \" \\ 🙂 \ud800";
    const claims = { odd, list: [1, null, { deep: true }] };
    const given = login("alice", now(), { claims, headers: { odd }, userAgent: odd, address: odd, jkt: odd });
    const row = await store().open({ ...given, absoluteEnd: Number.POSITIVE_INFINITY, refreshExp: undefined });
    const { csrfSeed, ...rest } = row;
    const { csrfSeed: seed, ...read } = { ...(await store().read(row.sid)) } as typeof row;
    expect(read).toEqual(rest);
    expect(Buffer.from(seed)).toEqual(Buffer.from(csrfSeed));
    expect(row.absoluteEnd).toBe(Number.POSITIVE_INFINITY);
  });

  it("raises limits from everywhere at once, and never lowers them", async () => {
    const { store } = await fresh();
    const [one, two] = [store(), store()];
    const asked = Array.from({ length: 20 }, (_, at) =>
      (at % 2 ? one : two).raiseLimits({ access: at, refresh: 100 - at }),
    );
    await Promise.all(asked);
    expect(await one.raiseLimits({ access: 0, refresh: 0 })).toEqual({ access: 19, refresh: 100 });
    const { access } = await one.raiseLimits({ access: Number.POSITIVE_INFINITY, refresh: 1 });
    expect(access).toBe(Number.POSITIVE_INFINITY);
    expect((await two.raiseLimits({ access: 1, refresh: 1 })).access).toBe(Number.POSITIVE_INFINITY);
  });

  it("has one secret, whoever asks first", async () => {
    const { store } = await fresh();
    const secrets = await Promise.all([1, 2, 3, 4].map(async () => Buffer.from((await store().secret?.()) ?? [])));
    expect(new Set(secrets.map((bytes) => bytes.toString("hex"))).size).toBe(1);
    expect(secrets[0]?.length).toBe(32);
  });

  it("begins once, however many begin at once, and spares the tokens of that second", async () => {
    const { store, run } = await fresh();
    const stores = Array.from({ length: 6 }, () => store());
    await Promise.all(stores.map((each) => each.migrate()));
    const [meta] = await run("select seq, made_at from jx_meta");
    expect(Number(meta?.seq)).toBe(0);
    const second = Math.floor(Number(meta?.made_at) / 1000);
    expect(await stores[0]?.isRevoked(about("alice", { iat: second }))).toBe(false);
    expect(await stores[0]?.isRevoked(about("alice", { iat: second - 1 }))).toBe(true);
    expect(await run("select version from jx_migrations")).toHaveLength(2);
  });

  it.each(MARKED)("notices that %s was emptied: everyone logs in again", async (name) => {
    const { store, run } = await fresh();
    const [one, two] = [store(), store()];
    const before = await opened(one);
    const dead = await opened(two);
    await one.revoke(ended(dead.sid));
    await one.raiseLimits({ access: 77, refresh: 88 });
    const [first, second] = [noticesOf(one), noticesOf(two)];
    await run(`delete from jx_${name}`);
    const answers = await Promise.all(
      [one, two, one, two].map((each) => each.isRevoked(about("alice", { sid: dead.sid }))),
    );
    expect(answers).toEqual([true, true, true, true]);
    expect(await one.isRevoked(about("alice", { sid: before.sid }))).toBe(true);
    const { outcome } = await two.rotate(present(before.sid, 0));
    expect(outcome).toBe("session_ended");
    const iat = Math.floor(Date.now() / 1000) - 1;
    expect(await two.isRevoked(about("alice", { iat }))).toBe(true);
    const after = await opened(two);
    expect(await one.isRevoked(about("alice", { sid: after.sid }))).toBe(false);
    expect([first, second]).toEqual([["storeForgot"], ["storeForgot"]]);
    expect(await one.raiseLimits({ access: 0, refresh: 0 })).toEqual({ access: 77, refresh: 88 });
  });

  it("a process that knew nothing finds emptied or dropped tables, and the others follow it", async () => {
    for (const action of ["delete from", "drop table"]) {
      const { store, run } = await fresh();
      const one = store();
      const before = await opened(one);
      const notices = noticesOf(one);
      for (const name of [...TABLES, "migrations"]) await run(`${action} jx_${name}`);
      await new Promise((resolve) => setTimeout(resolve, 3));
      const late = await opened(store());
      expect(await one.isRevoked(about("alice", { sid: before.sid }))).toBe(true);
      expect((await one.rotate(present(before.sid, 0))).outcome).toBe("session_unknown");
      expect(await one.isRevoked(about("alice", { sid: late.sid }))).toBe(false);
      expect(notices).toEqual(["storeForgot"]);
      const [meta] = await run("select seq from jx_meta");
      expect(Number(meta?.seq)).toBe(0);
    }
  });

  it("notices that an older copy of the tables was restored", async () => {
    const { store, run } = await fresh();
    const [one, two] = [store(), store()];
    const [victim, other] = [await opened(one), await opened(one)];
    await run("create table jx_copy as select * from jx_meta");
    await one.revoke(ended(victim.sid));
    expect(await two.isRevoked(about("alice", { sid: victim.sid }))).toBe(true);
    await run("update jx_meta set seq = (select seq from jx_copy)");
    await run("delete from jx_flags where id <> (select generation from jx_meta)");
    await run("update jx_sessions set ended_at = null");
    expect(await two.isRevoked(about("alice", { sid: victim.sid }))).toBe(true);
    expect((await one.rotate(present(victim.sid, 0))).outcome).toBe("session_ended");
    expect(await one.isRevoked(about("alice", { sid: other.sid }))).toBe(true);
    const after = await opened(one);
    for (const each of [one, two]) expect(await each.isRevoked(about("alice", { sid: after.sid }))).toBe(false);
  });

  it("notices a copy of another store that is older than what it saw", async () => {
    const { store, run } = await fresh();
    const clock = fakeClock(Date.now());
    const [one, two] = [store({ clock }), store({ clock })];
    await one.migrate();
    clock.advance(60);
    const before = await one.open(login("alice", clock));
    await two.read(before.sid);
    await run("update jx_meta set generation = (select csrf_seed from jx_sessions)");
    for (const name of ["flags", "spent"]) await run(`update jx_${name} set id = (select generation from jx_meta)`);
    expect((await one.rotate(presented(before.sid, 0, clock))).outcome).toBe("session_ended");
    const answers = [];
    for (const each of [one, two, one]) answers.push(await each.isRevoked(about("alice", { sid: before.sid })));
    expect(answers).toEqual([true, true, true]);
    clock.advance(1);
    const after = await two.open(login("alice", clock));
    for (const each of [one, two]) expect(await each.isRevoked(about("alice", { sid: after.sid }))).toBe(false);
  });

  it("purges by itself, once a minute, and never what still revokes", async () => {
    const { store, run } = await fresh();
    const clock = fakeClock(Date.now());
    const one = store({ clock });
    await one.revoke({ kind: "token", jti: "one", issuer: undefined, until: clock() + 1_000 });
    const { sid } = await one.open(
      login("alice", clock, { refreshExp: undefined, absoluteEnd: Number.POSITIVE_INFINITY }),
    );
    await one.revoke({ kind: "subject", subject: "alice", until: clock() + 1_000 });
    clock.advance(30);
    await one.open(login("bob", clock));
    expect(await run("select id from jx_flags")).toHaveLength(2);
    clock.advance(31);
    await one.open(login("bob", clock));
    expect(await run("select id from jx_flags")).toHaveLength(1);
    expect((await one.read(sid))?.endedWhy).toBe("subject");
    clock.advance(361);
    expect(await one.purge()).toBeGreaterThanOrEqual(2);
    expect(await one.read(sid)).toBe(undefined);
    expect(await run("select id from jx_epochs")).toHaveLength(1);
  });

  it("removes a backlog in batches", async () => {
    const { store, run } = await fresh();
    const clock = fakeClock(Date.now());
    const one = store({ clock });
    const token = (jti: string) => one.revoke({ kind: "token", jti, issuer: undefined, until: clock() + 1_000 });
    for (let at = 0; at < 1_100; at += 50)
      await Promise.all(Array.from({ length: 50 }, (_, nth) => token(`${at + nth}`)));
    clock.advance(2);
    expect(await one.purge()).toBe(1_100);
    expect(await run("select id from jx_flags")).toHaveLength(1);
  });

  it("ends what began before also where the clock stands still or moves back", async () => {
    const { store } = await fresh();
    const clock = fakeClock(Date.now());
    const one = store({ clock });
    const kinds = [{ kind: "subject", subject: "alice" }, { kind: "everything" }] as const;
    for (const what of kinds) {
      for (const seconds of [0, 0, 60, -30, 0]) {
        const { sid } = await one.open(login("alice", clock));
        clock.advance(seconds);
        await one.revoke({ ...what, until: clock() + DAY });
        expect(await one.isRevoked(about("alice", { sid }))).toBe(true);
        const next = await one.open(login("alice", clock));
        expect(await one.isRevoked(about("alice", { sid: next.sid }))).toBe(false);
      }
    }
  });

  it("refuses prefixes that are no plain names", async () => {
    const { store } = await fresh();
    for (const tablePrefix of ["", "1x", "a b", "jx_;drop", 'j"x', "Jx_", "ä_", "x".repeat(40), "a.b", "jx-"]) {
      expect(() => store({ tablePrefix })).toThrow(/tablePrefix/);
    }
  });

  it("with migrate: false waits for the tables to be made by hand, by any number at once", async () => {
    const { store } = await fresh("bare");
    const [one, two] = [store({ migrate: false }), store({ migrate: false })];
    await expect(one.isRevoked(about("alice"))).rejects.toThrow("run store.migrate() first");
    await Promise.all([one.migrate(), two.migrate(), one.migrate()]);
    const { sid } = await opened(two);
    expect((await one.read(sid))?.sid).toBe(sid);
  });

  it("does not start on tables of a later release", async () => {
    const { store, run } = await fresh();
    await store().migrate();
    await run("insert into jx_migrations (version, applied_at) values (99, 0)");
    await expect(store().read("x")).rejects.toThrow("later release");
  });
}
