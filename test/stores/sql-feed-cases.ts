import type { Revocation } from "jwt-extended";
import { fakeClock } from "jwt-extended/testing";
import { expect, it } from "vitest";
import { EVERYTHING } from "../../src/stores/keys.ts";
import type { SqlStore } from "../../src/stores/sql/store.ts";
import { about, login, presented } from "../../src/testing/store-cases.ts";
import type { FreshTables, SqlTables } from "./sql-cases.ts";

const DAY = 86_400_000;
const token = (jti: string): Revocation => ({ kind: "token", jti, issuer: undefined, until: Date.now() + DAY });
const opened = (store: SqlStore) => store.open(login("alice", fakeClock(Date.now())));
const tip = (store: SqlStore) => store.feed.tip(0);
const since = (store: SqlStore, seq: number, limit = 1_000) => store.feed.since(0, seq, limit);
const revokedAlong = (store: SqlStore, sid: string) => store.isRevoked(about("alice", { sid }));

/** How long the keys of a table are. */
async function lengths(run: SqlTables["run"], name: string): Promise<number[]> {
  const rows = await run(`select distinct length(id) as bytes from jx_${name}`);
  return rows.map(({ bytes }) => Number(bytes));
}

/** What every SQL store promises beyond the contract of names that are taken once, and of the feed. */
export function sqlFeedCases(fresh: FreshTables): void {
  it("of fifty in two processes one takes a name", async () => {
    const { store, run } = await fresh();
    const stores = [store(), store()];
    for (let round = 0; round < 5; round++) {
      const taking = Array.from({ length: 50 }, (_, at) => stores[at % 2]?.spend(`name ${round}`, Date.now() + DAY));
      expect((await Promise.all(taking)).filter(Boolean)).toHaveLength(1);
    }
    expect(await run("select id from jx_spent")).toHaveLength(6);
    const [meta] = await run("select seq from jx_meta");
    expect(Number(meta?.seq)).toBe(0);
  });

  it("purges names whose time has passed, and keeps no other rows among them or among the pages", async () => {
    const { store, run } = await fresh();
    const one = store();
    await one.spend("gone", Date.now() - 1);
    await one.spend("kept", Date.now() + DAY);
    expect(await one.purge()).toBe(1);
    expect(await run("select id from jx_spent")).toHaveLength(2);
    expect(await one.feed.live(0, undefined, 10)).toEqual({ entries: [], next: "epoch:" });
    expect((await one.feed.live(0, "epoch:", 10)).entries).toMatchObject([{ kind: "epoch", key: EVERYTHING }]);
  });

  it("numbers what two processes revoke at once without a hole, and tells both the same", async () => {
    const { store } = await fresh();
    const stores = [store(), store()] as const;
    const revoking = Array.from({ length: 50 }, (_, at) => stores[at % 2 === 0 ? 0 : 1].revoke(token(`token ${at}`)));
    await Promise.all(revoking);
    const [one, two] = [await since(stores[0], 0), await since(stores[1], 0)];
    expect(one.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
    expect(two).toEqual(one);
    const tips = await Promise.all(stores.map(tip));
    expect(tips.map(({ seq }) => seq)).toEqual([50, 50]);
    expect(new Set(tips.map(({ generation }) => generation)).size).toBe(1);
  });

  it("two processes hear of each other's revocations", async () => {
    const { store } = await fresh();
    const [one, two] = [store(), store()];
    await two.migrate();
    let heard = 0;
    const stop = one.feed.watch?.(() => heard++);
    await expect
      .poll(
        async () => {
          await two.revoke(token("one"));
          return heard;
        },
        { timeout: 5_000 },
      )
      .toBeGreaterThan(0);
    stop?.();
  });

  it.each(["meta", "flags", "epochs", "spent"])(
    "begins a feed of another generation where %s was emptied",
    async (name) => {
      const { store, run } = await fresh();
      const [one, two] = [store(), store()];
      await one.revoke(token("one"));
      const before = await tip(two);
      await run(`delete from jx_${name}`);
      const after = await tip(two);
      expect(after.generation).not.toBe(before.generation);
      expect(after.everything).toBeGreaterThan(before.everything);
      expect(await since(one, 0)).toEqual([]);
      await one.revoke(token("two"));
      expect((await since(two, after.seq)).map(({ seq }) => seq)).toEqual([after.seq + 1]);
      expect(await tip(one)).toMatchObject({ generation: after.generation, seq: after.seq + 1 });
    },
  );

  const asking: Record<string, (store: SqlStore, sid: string) => unknown> = {
    "a check": (store, sid) => revokedAlong(store, sid),
    "a refresh": (store, sid) => store.rotate(presented(sid, 0, fakeClock(Date.now()))),
    "a name": (store) => store.spend("a name", Date.now() + DAY),
    "the tip": (store) => tip(store),
  };
  it.each(Object.keys(asking))(
    "notices by %s that revocations were lost, also where others took their numbers",
    async (what) => {
      const { store, run } = await fresh();
      const one = store();
      const [victim, other] = [await opened(one), await opened(one)];
      await one.revoke(token("one"));
      await one.revoke({ kind: "session", sid: victim.sid, until: Date.now() + DAY });
      expect(await revokedAlong(one, victim.sid)).toBe(true);
      const before = await tip(one);
      // What a failover does to the last write.
      await run("delete from jx_feed where seq = 2");
      await run("update jx_meta set seq = 1, mark = (select mark from jx_feed where seq = 1)");
      await run(
        "delete from jx_flags where id not in (select id from jx_feed) and id <> (select generation from jx_meta)",
      );
      await run("update jx_sessions set ended_at = null, ended_why = null");
      const two = store();
      expect(await revokedAlong(two, victim.sid)).toBe(false);
      await two.revoke(token("two"));
      await two.revoke(token("three"));
      await asking[what]?.(one, other.sid);
      expect(await revokedAlong(two, other.sid)).toBe(true);
      expect(await revokedAlong(one, victim.sid)).toBe(true);
      expect((await tip(one)).generation).not.toBe(before.generation);
      for (const each of [one, two]) expect(await revokedAlong(each, other.sid)).toBe(true);
      expect(await revokedAlong(two, (await opened(one)).sid)).toBe(false);
    },
  );

  it.each(["kind = 3", "id = mark", "epoch = null"])(
    "never leaves out a change that it cannot read (%s)",
    async (damage) => {
      const { store, run, fixedKeys } = await fresh();
      const one = store();
      await one.revoke(token("one"));
      await one.revoke({ kind: "subject", subject: "alice", until: Date.now() + DAY });
      expect(await since(one, 0)).toHaveLength(2);
      await run(`update jx_feed set ${damage} where seq = 2`);
      if (fixedKeys && damage === "id = mark") return expect(await lengths(run, "feed")).toEqual([16]);
      await expect(since(one, 0)).rejects.toThrow();
      expect(await since(one, 0, 1)).toHaveLength(1);
    },
  );

  it.each(["flags", "epochs"])("never leaves out of a page what it cannot read (%s)", async (name) => {
    const { store, run, fixedKeys } = await fresh();
    const one = store();
    await one.revoke(token("one"));
    await one.revoke({ kind: "subject", subject: "alice", until: Date.now() + DAY });
    await run(
      `update jx_${name} set id = (select mark from jx_feed where seq = 1) where id in (select id from jx_feed)`,
    );
    if (fixedKeys) return expect(await lengths(run, name)).toEqual([16]);
    const pages = async (): Promise<void> => {
      for (let cursor: string | undefined = ""; cursor !== undefined; )
        cursor = (await one.feed.live(0, cursor === "" ? undefined : cursor, 1)).next;
    };
    await expect(pages()).rejects.toThrow("cannot be read");
  });

  it("keeps the last hundred thousand changes", async () => {
    const { store, run } = await fresh();
    const one = store();
    await one.revoke(token("one"));
    await run(`insert into jx_feed (seq, mark, kind, id, epoch, keep_until)
      with recursive n (i) as (select 2 union all select i + 1 from n where i < 100700)
      select n.i, f.mark, f.kind, f.id, f.epoch, f.keep_until from n join jx_feed f on f.seq = 1`);
    await run("update jx_meta set seq = 100700");
    await one.purge();
    expect((await since(one, 0, 3)).map(({ seq }) => seq)).toEqual([701, 702, 703]);
    expect((await tip(one)).seq).toBe(100_700);
    await one.revoke(token("two"));
    expect((await since(one, 100_699)).map(({ seq }) => seq)).toEqual([100_700, 100_701]);
  });

  it("refuses pages of nothing, and cursors that it did not give", async () => {
    const { store } = await fresh();
    const { feed } = store();
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await expect(feed.since(0, 0, limit)).rejects.toThrow(RangeError);
      await expect(feed.live(0, undefined, limit)).rejects.toThrow(RangeError);
    }
    for (const cursor of ["", "flag", "flags:00", "flag:0", "flag:zz"]) {
      await expect(feed.live(0, cursor, 1)).rejects.toThrow(TypeError);
    }
  });
}
