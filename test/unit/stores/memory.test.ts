import { memoryStore, type NewSession, type RevocationQuery } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { sessionBirth } from "../../../src/stores/session-id.ts";

const START = 1_800_000_000_000;
const MONTH = 30 * 86_400;

function make() {
  const clock = { now: START };
  const store = memoryStore({ clock: () => clock.now });
  clock.now += 10_000;
  const session = (subject = "ada"): NewSession => {
    const authTime = Math.floor(clock.now / 1000);
    const absoluteEnd = clock.now + 2 * MONTH * 1000;
    return {
      subject,
      authTime,
      issuedAt: authTime,
      absoluteEnd,
      refreshExp: authTime + MONTH,
      claims: {},
      headers: {},
      userAgent: "a browser",
      address: "a hash",
      jkt: undefined,
    };
  };
  const query = (parts: Partial<RevocationQuery> = {}): RevocationQuery => {
    const iat = Math.floor(clock.now / 1000);
    return { jti: "j", sid: undefined, subject: "ada", issuer: undefined, kid: undefined, iat, ...parts };
  };
  return { clock, store, session, query };
}

describe("memoryStore", () => {
  it("opens sessions with ids and seeds of their own", async () => {
    const { store, session, clock } = make();
    const rows = await Promise.all(Array.from({ length: 50 }, () => store.open(session())));
    expect(new Set(rows.map(({ sid }) => sid)).size).toBe(50);
    expect(new Set(rows.map(({ csrfSeed }) => Buffer.from(csrfSeed).toString("hex"))).size).toBe(50);
    for (const row of rows) {
      expect(row).toMatchObject({ ...session(), gen: 0, endedAt: undefined, born: clock.now });
      expect(row.csrfSeed.length).toBe(16);
      expect(sessionBirth(row.sid)).toBe(clock.now);
      expect(await store.read(row.sid)).toEqual(row);
    }
    expect(await store.read("nowhere")).toBeUndefined();
  });
  it("revokes one token, of one issuer", async () => {
    const { store, query } = make();
    await store.revoke({ kind: "token", jti: "j", issuer: undefined, until: START + 1e6 });
    expect(await store.isRevoked(query())).toBe(true);
    expect(await store.isRevoked(query({ jti: "k" }))).toBe(false);
    expect(await store.isRevoked(query({ issuer: "them" }))).toBe(false);
    await store.revoke({ kind: "token", jti: "b", issuer: "a", until: START + 1e6 });
    expect(await store.isRevoked(query({ jti: "b", issuer: "a" }))).toBe(true);
    for (const [issuer, jti] of [
      ["", "ab"],
      ["ab", ""],
      [undefined, "b"],
      ["a", "B"],
    ] as const) {
      expect(await store.isRevoked(query({ jti, issuer }))).toBe(false);
    }
  });
  it("ends a session, twice if need be", async () => {
    const { store, session, query, clock } = make();
    const [mine, other] = [await store.open(session()), await store.open(session())];
    for (let times = 0; times < 2; times++) {
      await store.revoke({ kind: "session", sid: mine.sid, until: START + 1e9 });
      clock.now += 1000;
    }
    expect(await store.isRevoked(query({ sid: mine.sid }))).toBe(true);
    expect((await store.read(mine.sid))?.endedAt).toBe(START + 10_000);
    expect(await store.isRevoked(query({ sid: other.sid }))).toBe(false);
    await store.revoke({ kind: "session", sid: "unknown", until: START + 1e9 });
    expect(await store.isRevoked(query({ sid: "unknown" }))).toBe(true);
  });
  it("ends a subject's past, and not the login in the same millisecond", async () => {
    const { store, session, query, clock } = make();
    const before = await store.open(session());
    const bob = await store.open(session("bob"));
    await store.revoke({ kind: "subject", subject: "ada", until: START + 1e9 });
    const after = await store.open(session());
    expect(await store.isRevoked(query({ sid: before.sid }))).toBe(true);
    expect((await store.read(before.sid))?.endedAt).toBe(clock.now);
    expect(await store.isRevoked(query({ sid: after.sid }))).toBe(false);
    expect(await store.isRevoked(query({ sid: bob.sid, subject: "bob" }))).toBe(false);
    // Without a session the whole second of the revocation dies.
    expect(await store.isRevoked(query())).toBe(true);
    expect(await store.isRevoked(query({ iat: undefined }))).toBe(true);
    clock.now += 1000;
    expect(await store.isRevoked(query())).toBe(false);
  });
  it("never lowers the time of a revocation when its clock moves back", async () => {
    const { store, session, query, clock } = make();
    const row = await store.open(session());
    await store.revoke({ kind: "subject", subject: "ada", until: START + 1e9 });
    clock.now -= 9000;
    await store.revoke({ kind: "subject", subject: "ada", until: START });
    expect(await store.isRevoked(query({ sid: row.sid }))).toBe(true);
    expect(await store.isRevoked(query({ sid: (await store.open(session())).sid }))).toBe(false);
  });
  it("takes nothing that is older than itself, so that a restart revives nothing", async () => {
    const first = make();
    const row = await first.store.open(first.session());
    const second = memoryStore({ clock: () => first.clock.now });
    expect(await second.isRevoked(first.query({ sid: row.sid }))).toBe(true);
    expect(await second.isRevoked(first.query({ iat: Math.floor(first.clock.now / 1000) - 1 }))).toBe(true);
    expect(await second.isRevoked(first.query({ sid: "x".repeat(31) }))).toBe(true);
    expect(await second.isRevoked(first.query({ sid: (await second.open(first.session())).sid }))).toBe(false);
  });
  it("forgets what may go, and nothing else", async () => {
    const { store, session, query, clock } = make();
    const row = await store.open(session());
    await store.revoke({ kind: "token", jti: "short", issuer: undefined, until: clock.now + 1000 });
    await store.revoke({ kind: "token", jti: "long", issuer: undefined, until: Number.POSITIVE_INFINITY });
    await store.revoke({ kind: "subject", subject: "eve", until: clock.now + 1000 });
    expect(await store.purge()).toBe(0);
    clock.now += 1000;
    expect(await store.purge()).toBe(2);
    clock.now += (MONTH + 361) * 1000;
    expect(await store.purge()).toBe(1);
    expect(await store.read(row.sid)).toBeUndefined();
    expect(await store.isRevoked(query({ jti: "long" }))).toBe(true);
  });
  it("keeps the longer of two times for one entry", async () => {
    const { store, query, clock } = make();
    await store.revoke({ kind: "token", jti: "j", issuer: undefined, until: clock.now + 9000 });
    await store.revoke({ kind: "token", jti: "j", issuer: undefined, until: clock.now + 1000 });
    clock.now += 5000;
    await store.purge();
    expect(await store.isRevoked(query())).toBe(true);
  });
  it("stays small by itself", async () => {
    const { store, session, clock } = make();
    const first = await store.open(session());
    clock.now += (MONTH + 400) * 1000;
    await store.open(session());
    expect(await store.read(first.sid)).toBeUndefined();
  });
});
