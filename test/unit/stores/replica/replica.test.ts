import { ConfigError, memoryStore, type RevocationQuery, replicatedStore } from "jwt-extended";
import { afterEach, describe, expect, it, vi } from "vitest";
import { about, login, presented } from "../../../../src/testing/store-cases.ts";
import { type ReplicaLab, replicaLab } from "../../../support/replica-lab.ts";

const YEAR = 31_536_000_000;
const iat = (lab: ReplicaLab): number => Math.floor(lab.storeClock() / 1000) + 100;
const tokenOf = (lab: ReplicaLab, jti: string): RevocationQuery => about("alice", { jti, iat: iat(lab) });
const revokeToken = (lab: ReplicaLab, jti: string) =>
  lab.store.revoke({ kind: "token", jti, issuer: undefined, until: lab.storeClock() + 3_600_000 });

const open: ReplicaLab[] = [];
async function freshLab(options: Parameters<typeof replicaLab>[0] = {}): Promise<ReplicaLab> {
  const lab = replicaLab(options);
  open.push(lab);
  await lab.pass(1_000);
  expect(lab.replica.isFresh).toBe(true);
  return lab;
}
afterEach(() => {
  for (const { replica } of open.splice(0)) replica.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a replica", () => {
  it("needs a store that tells what is revoked, and a bound that makes sense", () => {
    expect(() => replicatedStore(memoryStore())).toThrow(/needs a store that tells/);
    for (const maxStaleness of [0, 0.5, 61, -1, Number.NaN, "1h", "soon"] as const) {
      const { store } = replicaLab();
      expect(() => replicatedStore(store, { maxStaleness: maxStaleness as never })).toThrow(ConfigError);
    }
  });

  it("asks the store until it holds all of it, and nothing any more after that", async () => {
    const lab = replicaLab({ delay: 400 });
    open.push(lab);
    await revokeToken(lab, "one");
    expect(await lab.ask(tokenOf(lab, "one"))).toBe(true);
    expect(await lab.ask(tokenOf(lab, "two"))).toBe(false);
    expect(lab.questions).toBe(2);
    expect(lab.told).toEqual([]);
    lab.faults.delay = 0;
    await lab.pass(1_000);
    await lab.replica.ready();
    expect(lab.told).toEqual([["replicaFresh", undefined]]);
    expect(lab.replica.isRevoked(tokenOf(lab, "one"))).toBe(true);
    expect(lab.replica.isRevoked(tokenOf(lab, "three"))).toBe(false);
    expect(lab.questions).toBe(2);
  });

  it.each([true, false])("hears of every kind of revocation by others, with hints (%s) at once", async (hasHints) => {
    for (const partitions of [1, 3]) {
      const lab = await freshLab({ partitions });
      lab.faults.isSilent = !hasHints;
      const { store } = lab;
      const rows = await Promise.all(["a", "b", "c"].map((name) => store.open(login(name, lab.storeClock as never))));
      const [ended, ofSubject, other] = rows.map(({ sid, subject }) => about(subject, { sid })) as RevocationQuery[];
      const byHand = about("b", { iat: Math.floor(lab.storeClock() / 1000) });
      const asked = {
        token: about("d", { jti: "one", iat: iat(lab) }),
        foreign: about("d", { jti: "one", issuer: "else", iat: iat(lab) }),
        key: about("d", { kid: "k1", iat: iat(lab) }),
        ended,
        ofSubject,
        other,
        byHand,
      };
      const answers = () =>
        Object.entries(asked)
          .filter(([, query]) => lab.replica.isRevoked(query as never) === true)
          .map(([name]) => name);
      expect(answers()).toEqual([]);
      const until = lab.storeClock() + YEAR;
      const steps = [
        ["token", () => store.revoke({ kind: "token", jti: "one", issuer: undefined, until })],
        ["foreign", () => store.revoke({ kind: "token", jti: "one", issuer: "else", until })],
        ["key", () => store.revoke({ kind: "key", kid: "k1", until })],
        ["ended", () => store.revoke({ kind: "session", sid: rows[0]?.sid as string, until })],
        ["ofSubject", () => store.revoke({ kind: "subject", subject: "b", until })],
        ["other", () => store.revoke({ kind: "everything", until })],
      ] as const;
      const names: string[] = [];
      for (const [name, step] of steps) {
        await step();
        await lab.pass(hasHints ? 25 : 1_250);
        names.push(name);
        if (name === "ofSubject") names.push("byHand");
        expect(answers().sort()).toEqual([...names].sort());
      }
      const after = await store.open(login("b", lab.storeClock as never));
      expect(lab.replica.isRevoked(about("b", { sid: after.sid }))).toBe(false);
      expect(lab.questions).toBe(0);
    }
  });

  it("knows at once what this process revoked, and asks the store where only the store knows the moment", async () => {
    const lab = await freshLab();
    lab.faults.isSilent = true;
    const until = lab.storeClock() + YEAR;
    const row = await lab.replica.open(login("alice", lab.storeClock as never));
    await lab.replica.revoke({ kind: "token", jti: "one", issuer: undefined, until });
    await lab.replica.revoke({ kind: "key", kid: "k1", until });
    expect(lab.replica.isRevoked(tokenOf(lab, "one"))).toBe(true);
    expect(lab.replica.isRevoked(about("bob", { kid: "k1", iat: iat(lab) }))).toBe(true);
    expect(lab.replica.isRevoked(about("alice", { sid: row.sid }))).toBe(false);
    lab.faults.isHung = true;
    await lab.pass(1_300);
    await lab.replica.revoke({ kind: "subject", subject: "alice", until });
    expect(await lab.ask(about("alice", { sid: row.sid }))).toBe(true);
    expect(await lab.ask(about("bob", { iat: iat(lab) }))).toBe(false);
    expect(lab.questions).toBe(2);
    lab.faults.isHung = false;
    await lab.pass(2_500);
    expect(lab.replica.isRevoked(about("alice", { sid: row.sid }))).toBe(true);
    expect(lab.replica.isRevoked(about("bob", { iat: iat(lab) }))).toBe(false);
    expect(lab.told).toEqual([["replicaFresh", undefined]]);
  });

  it("does not repeat an answer of before a revocation by this process", async () => {
    const lab = await freshLab();
    lab.faults.isCut = true;
    await lab.pass(6_000);
    const row = await lab.replica.open(login("alice", lab.storeClock as never));
    expect(await lab.ask(about("alice", { sid: row.sid }))).toBe(false);
    await lab.replica.revoke({ kind: "everything", until: Number.POSITIVE_INFINITY });
    expect(await lab.ask(about("alice", { sid: row.sid }))).toBe(true);
  });

  it("knows a theft that this process found", async () => {
    const lab = await freshLab();
    lab.faults.isSilent = true;
    const clock = lab.storeClock as never;
    const { sid } = await lab.replica.open(login("alice", clock));
    await lab.replica.rotate(presented(sid, 0, clock));
    await lab.replica.rotate(presented(sid, 1, clock));
    expect(lab.replica.isRevoked(about("alice", { sid }))).toBe(false);
    expect((await lab.replica.rotate(presented(sid, 0, clock))).outcome).toBe("reused");
    expect(lab.replica.isRevoked(about("alice", { sid }))).toBe(true);
  });

  it("is relied on no longer than its bound after the way is cut; what it knows is refused all the same", async () => {
    const lab = await freshLab();
    await revokeToken(lab, "one");
    await lab.pass(1_300);
    lab.faults.isCut = true;
    const cutAt = performance.now();
    await revokeToken(lab, "two");
    let acceptedAt = 0;
    while (performance.now() - cutAt < 8_000) {
      expect(lab.replica.isRevoked(tokenOf(lab, "one"))).toBe(true);
      if ((await lab.ask(tokenOf(lab, "two"))) === false) acceptedAt = performance.now();
      await lab.pass(50);
    }
    expect(acceptedAt - cutAt).toBeGreaterThan(3_000);
    expect(acceptedAt - cutAt).toBeLessThanOrEqual(5_050);
    expect(lab.replica.isFresh).toBe(false);
    expect(lab.told.slice(1)).toEqual([["replicaBehind", "the way to the store is cut"]]);
    lab.isDown = true;
    expect(await lab.ask(tokenOf(lab, "three"))).toBe("down");
    expect(await lab.ask(tokenOf(lab, "one"))).toBe(true);
    lab.faults.isCut = false;
    await lab.pass(1_300);
    expect(lab.told.slice(2)).toEqual([["replicaFresh", undefined]]);
    expect(lab.replica.isRevoked(tokenOf(lab, "two"))).toBe(true);
    expect(lab.replica.status().partitions[0]?.resyncs).toBe(0);
  });

  it("is not fresh because the way is open: a store that does not answer makes it old", async () => {
    const lab = await freshLab();
    lab.faults.isHung = true;
    await lab.pass(6_200);
    expect(lab.replica.isFresh).toBe(false);
    expect(lab.told.at(-1)).toEqual(["replicaBehind", "the feed gave no answer in time"]);
    expect(lab.replica.status().stalenessMs).toBeGreaterThan(5_000);
  });

  it("counts its age from when it asked, not from when it was answered", async () => {
    const lab = await freshLab({ maxStaleness: 1 });
    lab.faults.delay = 400;
    await lab.pass(5_000);
    expect(lab.replica.status().stalenessMs).toBeGreaterThanOrEqual(800);
    lab.faults.delay = 499;
    await lab.pass(5_000);
    let fresh = 0;
    for (let at = 0; at < 100; at++) {
      await lab.pass(20);
      if (lab.replica.isFresh) fresh++;
    }
    // An answer takes 998 ms: there are 2 ms in which it is of any use.
    expect(fresh).toBeLessThan(5);
  });

  it.each([
    ["the process was stopped", false],
    ["the machine was suspended", true],
  ])("does not rely on anything after %s for longer than the bound", async (_what, isAsleep) => {
    const lab = await freshLab();
    await lab.pass(500);
    await revokeToken(lab, "one");
    lab.halt(isAsleep ? 2_000 : 6_000, isAsleep);
    lab.faults.isHung = true;
    expect(lab.replica.isFresh).toBe(false);
    expect(lab.replica.status().stalenessMs).toBeGreaterThan(5_000);
    expect(await lab.ask(tokenOf(lab, "one"))).toBe(true);
    lab.faults.isHung = false;
    await lab.pass(3_000);
    expect(lab.replica.isFresh).toBe(true);
  });

  it.each([3_600_000, -3_600_000, 10 * YEAR, -10 * YEAR])(
    "holds what it holds when clocks move by %d ms",
    async (by) => {
      for (const which of ["moveStoreClock", "moveWallClock"] as const) {
        const lab = await freshLab();
        await revokeToken(lab, "one");
        await lab.pass(1_500);
        const query = tokenOf(lab, "one");
        lab[which](by);
        for (let at = 0; at < 80; at++) {
          await lab.pass(1_000);
          expect(lab.replica.isRevoked(query)).toBe(true);
        }
        expect(lab.replica.isFresh).toBe(true);
        lab[which](-by);
        await lab.pass(80_000);
        expect(lab.replica.isRevoked(query)).toBe(true);
        expect(lab.replica.status().entries).toBe(1);
        lab.replica.close();
      }
    },
  );

  it("lets entries go by the store's time", async () => {
    const lab = await freshLab();
    for (let at = 0; at < 50; at++) {
      await lab.store.revoke({
        kind: "token",
        jti: `short ${at}`,
        issuer: undefined,
        until: lab.storeClock() + 60_000,
      });
    }
    await revokeToken(lab, "long");
    await lab.pass(50_000);
    expect(lab.replica.status().entries).toBe(51);
    await lab.pass(320_000);
    expect(lab.replica.status().entries).toBe(1);
    expect(lab.replica.isRevoked(tokenOf(lab, "long"))).toBe(true);
  });

  it("reads a snapshot of many pages while more is revoked, and a feed that is kept for a short time", async () => {
    const lab = replicaLab({ delay: 300 });
    open.push(lab);
    for (let at = 0; at < 5_500; at++) await revokeToken(lab, `before ${at}`);
    lab.trim(0, 100);
    const more = 100;
    for (let at = 0; at < more; at++) {
      await revokeToken(lab, `while ${at}`);
      lab.trim(0, 30);
      await lab.pass(100);
    }
    lab.faults.delay = 0;
    await lab.pass(3_000);
    expect(lab.replica.isFresh).toBe(true);
    const missing = [
      ...Array.from({ length: 5_500 }, (_, at) => `before ${at}`),
      ...Array.from({ length: more }, (_, at) => `while ${at}`),
    ].filter((jti) => lab.replica.isRevoked(tokenOf(lab, jti)) !== true);
    expect(missing).toEqual([]);
    expect(lab.replica.status()).toMatchObject({
      behind: false,
      entries: 5_600,
      partitions: [{ resyncs: 0, applied: 5_600, tip: 5_600 }],
    });
  });

  it("says when it is closed, and then asks the store about everything", async () => {
    const lab = await freshLab();
    lab.replica.close();
    expect(lab.replica.isFresh).toBe(false);
    await expect(lab.replica.ready()).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await lab.ask(tokenOf(lab, "two"))).toBe(false);
    expect(lab.questions).toBe(1);
    const { tip } = lab.faults.asked;
    await lab.pass(10_000);
    expect(lab.faults.asked.tip).toBe(tip);
  });

  it("tells those who wait for it of a store that cannot work", async () => {
    const lab = replicaLab();
    open.push(lab);
    lab.faults.bend = () => {
      throw new ConfigError(["this server is a replica."]);
    };
    const ready = expect(lab.replica.ready()).rejects.toThrow(/this server is a replica/);
    await lab.pass(50);
    await ready;
    expect(lab.told).toEqual([["replicaBehind", expect.stringContaining("this server is a replica.")]]);
  });
});
