import type { Rotation } from "../stores/contract.ts";
import { type AddCase, about, expect, later, login, presented, REFRESH_LIFE } from "./store-cases.ts";

/** What must be the same in every successor that racers get. */
const successor = ({ row }: Rotation): string =>
  JSON.stringify([row?.sid, row?.gen, row?.subject, row?.issuedAt, row?.refreshExp]);

/** The cases about exchanging refresh tokens and listing sessions. */
export function rotationCases(add: AddCase): void {
  add("a refresh token is exchanged for the next, each once", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    for (let gen = 0; gen < 3; gen++) {
      clock.advance(60);
      const { outcome, row } = await store.rotate(presented(sid, gen, clock));
      expect("outcome", outcome, "rotated");
      expect("generation", row?.gen, gen + 1);
      expect("iat", row?.issuedAt, Math.floor(clock() / 1000));
      expect("exp", row?.refreshExp, Math.floor(clock() / 1000) + REFRESH_LIFE);
    }
    expect("stored", (await store.read(sid))?.gen, 3);
  });
  add("a session that does not exist, or is another's, is unknown and nobody's theft", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    expect(
      "none",
      (await store.rotate(presented("AYvP5WjwAAAAAAAAAAAAAAAAAAAAAA", 0, clock))).outcome,
      "session_unknown",
    );
    expect("another's", (await store.rotate(presented(sid, 0, clock, { subject: "bob" }))).outcome, "session_unknown");
    expect("alive", (await store.read(sid))?.endedAt, undefined);
  });
  add("whoever races inside the grace gets the same successor", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    const first = await store.rotate(presented(sid, 0, clock));
    clock.advance(10);
    const second = await store.rotate(presented(sid, 0, clock));
    expect("outcome", second.outcome, "raced");
    expect("successor", successor(second), successor(first));
    expect("counted", (await store.read(sid))?.racedCount, 1);
  });
  add("who refreshed last is kept, and a racer does not replace them", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    await store.rotate(presented(sid, 0, clock, { userAgent: "new browser", address: "new hash" }));
    const { row } = await store.rotate(presented(sid, 0, clock, { userAgent: "thief", address: "elsewhere" }));
    expect("user agent", row?.userAgent, "new browser");
    expect("address", row?.address, "new hash");
  });
  add("the predecessor after the grace is theft, and the session ends", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    await store.rotate(presented(sid, 0, clock));
    clock.advance(10.001);
    expect("outcome", (await store.rotate(presented(sid, 0, clock))).outcome, "reused");
    expect("ended", (await store.read(sid))?.endedWhy, "reused");
    expect("its access tokens", await store.isRevoked(about("alice", { sid })), true);
    expect("the good one", (await store.rotate(presented(sid, 1, clock))).outcome, "session_ended");
  });
  add("an older generation is theft at once, also inside the grace", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    await store.rotate(presented(sid, 0, clock));
    await store.rotate(presented(sid, 1, clock));
    expect("outcome", (await store.rotate(presented(sid, 0, clock))).outcome, "reused");
  });
  add("another key inside the grace is theft", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock, { jkt: "mine" }));
    await store.rotate(presented(sid, 0, clock, { jkt: "mine" }));
    expect("outcome", (await store.rotate(presented(sid, 0, clock, { jkt: "other" }))).outcome, "reused");
  });
  add("without a grace a second use is theft, but not the retry of the same call", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    const call = presented(sid, 0, clock, { grace: 0 });
    const first = await store.rotate(call);
    const other = await store.rotate(presented((await store.open(login("alice", clock))).sid, 0, clock, { grace: 0 }));
    expect("another session", other.outcome, "rotated");
    clock.advance(1);
    const retried = await store.rotate(call);
    expect("retry", retried.outcome, "rotated");
    expect("successor", successor(retried), successor(first));
    expect("second use", (await store.rotate(presented(sid, 0, clock, { grace: 0 }))).outcome, "reused");
  });
  add("without a grace nobody races, not even in the same millisecond", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    await store.rotate(presented(sid, 0, clock, { grace: 0 }));
    expect("second use", (await store.rotate(presented(sid, 0, clock, { grace: 0 }))).outcome, "reused");
  });
  add("a generation ahead of the store heals it: the store has lost writes", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    const { outcome, row } = await store.rotate(presented(sid, 4, clock));
    expect("outcome", outcome, "healed");
    expect("generation", row?.gen, 5);
    expect("goes on", (await store.rotate(presented(sid, 5, clock))).outcome, "rotated");
  });
  add("a session ends with its last refresh token, and at its absolute end", async (store, clock) => {
    const idle = await store.open(login("alice", clock));
    const short = await store.open(login("alice", clock, { absoluteEnd: clock() + 3_600_000 }));
    const unused = await store.open(login("alice", clock, { absoluteEnd: clock() + 3_600_000 }));
    const { row } = await store.rotate(presented(short.sid, 0, clock));
    expect("no later than the absolute end", row?.refreshExp, Math.floor((short.absoluteEnd ?? 0) / 1000));
    clock.advance(3600);
    expect("absolute", (await store.rotate(presented(short.sid, 1, clock))).outcome, "session_ended");
    expect("never used", (await store.rotate(presented(unused.sid, 0, clock))).outcome, "session_ended");
    expect("idle, still", (await store.rotate(presented(idle.sid, 0, clock))).outcome, "rotated");
    clock.advance(REFRESH_LIFE + 1);
    expect("idle, over", (await store.rotate(presented(idle.sid, 1, clock))).outcome, "session_ended");
  });
  add("a session in use outlives its first refresh token, and is not purged", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    for (let gen = 0; gen < 3; gen++) {
      clock.advance(REFRESH_LIFE - 1);
      await store.purge();
      expect("outcome", (await store.rotate(presented(sid, gen, clock))).outcome, "rotated");
    }
  });
  add("an ended session is never renewed", async (store, clock) => {
    const [one, two, three] = [
      await store.open(login("alice", clock)),
      await store.open(login("alice", clock)),
      await store.open(login("bob", clock)),
    ];
    await store.revoke({ kind: "session", sid: one.sid, until: later(clock) });
    expect("by session", (await store.rotate(presented(one.sid, 0, clock))).outcome, "session_ended");
    await store.revoke({ kind: "subject", subject: "alice", until: later(clock) });
    expect("by subject", (await store.rotate(presented(two.sid, 0, clock))).outcome, "session_ended");
    await store.revoke({ kind: "everything", until: later(clock) });
    expect(
      "by everything",
      (await store.rotate(presented(three.sid, 0, clock, { subject: "bob" }))).outcome,
      "session_ended",
    );
  });
  add("fifty at once get one successor, and nobody is logged out", async (store, clock) => {
    const { sid } = await store.open(login("alice", clock));
    const all = await Promise.all(Array.from({ length: 50 }, () => store.rotate(presented(sid, 0, clock))));
    expect("outcomes", [...new Set(all.map(({ outcome }) => outcome))].sort().join(), "raced,rotated");
    expect("winners", all.filter(({ outcome }) => outcome === "rotated").length, 1);
    expect("successors", new Set(all.map(successor)).size, 1);
    expect("alive", (await store.read(sid))?.endedAt, undefined);
    expect("generation", (await store.read(sid))?.gen, 1);
  });
  add("a logout that races refreshes wins", async (store, clock) => {
    for (let round = 0; round < 10; round++) {
      const { sid } = await store.open(login("alice", clock));
      const racing = [0, 1, 2, 3].map(() => store.rotate(presented(sid, 0, clock)));
      await Promise.all([...racing, store.revoke({ kind: "session", sid, until: later(clock) })]);
      expect("access", await store.isRevoked(about("alice", { sid })), true);
      expect("refresh", (await store.rotate(presented(sid, 1, clock))).outcome, "session_ended");
    }
  });
  add("the live sessions of a subject are listed, the newest first, and nobody else's", async (store, clock) => {
    const first = await store.open(login("alice", clock, { userAgent: "phone" }));
    clock.advance(1);
    const second = await store.open(login("alice", clock));
    clock.advance(1);
    const third = await store.open(login("alice", clock));
    await store.open(login("ALICE", clock));
    await store.revoke({ kind: "session", sid: second.sid, until: later(clock) });
    const listed = await store.list("alice");
    expect("listed", listed.map(({ sid }) => sid).join(), [third.sid, first.sid].join());
    expect("user agent", listed[1]?.userAgent, "phone");
    expect("address", listed[1]?.address, "a hash");
  });
  add("use is noted", async (store, clock) => {
    const { sid, lastUsedAt } = await store.open(login("alice", clock));
    clock.advance(90);
    await store.touch(sid);
    expect("last used", (await store.read(sid))?.lastUsedAt, lastUsedAt + 90_000);
  });
}
