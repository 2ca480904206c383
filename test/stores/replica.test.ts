import { type ReplicatedStore, replicatedStore, type TokenStore } from "jwt-extended";
import { fakeClock, storeContract } from "jwt-extended/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { about, later, login } from "../../src/testing/store-cases.ts";
import { available } from "../support/require.ts";
import { type Given, mysqlKit, postgresKit, redisKit, type StoreKit, sqliteKit } from "../support/store-kits.ts";

/** Waits until something holds. */
async function until(holds: () => unknown, limit = 10_000): Promise<void> {
  const end = performance.now() + limit;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${limit} ms: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const answer = async (store: TokenStore, query: Parameters<TokenStore["isRevoked"]>[0]): Promise<boolean | "down"> => {
  try {
    return await store.isRevoked(query);
  } catch {
    return "down";
  }
};

function overKit(kit: StoreKit): void {
  const open: ReplicatedStore[] = [];
  const clock = fakeClock();
  beforeAll(() => kit.begin(), 60_000);
  afterAll(async () => {
    for (const replica of open.splice(0)) replica.close();
    await kit.end();
  });
  async function follow(store: TokenStore): Promise<ReplicatedStore> {
    const replica = replicatedStore(store, { maxStaleness: 1 });
    open.push(replica);
    await replica.ready();
    return replica;
  }
  /** Two processes, each with a copy of the same store. */
  async function two(): Promise<{ given: Given; here: ReplicatedStore; there: ReplicatedStore }> {
    const given = await kit.make(clock);
    return { given, here: await follow(given.store), there: await follow(given.other()) };
  }

  for (const { name, run } of storeContract(async (time) => follow((await kit.make(time)).store))) it(name, run);

  it("brings every kind of revocation from one process to another, by itself", async () => {
    const { here, there } = await two();
    clock.advance(1);
    const [ada, bob, eve] = await Promise.all(["ada", "bob", "eve"].map((name) => here.open(login(name, clock))));
    const iat = Math.floor(clock() / 1000) + 2;
    const asked = {
      token: about("tom", { jti: "one", iat }),
      foreign: about("tom", { jti: "one", issuer: "else", iat }),
      key: about("tom", { kid: "k1", iat }),
      session: about("ada", { sid: ada?.sid }),
      subject: about("bob", { sid: bob?.sid }),
      everything: about("eve", { sid: eve?.sid }),
    };
    for (const query of Object.values(asked)) expect(there.isRevoked(query)).toBe(false);
    const end = later(clock);
    const before = there.status().asked;
    const steps = {
      token: () => here.revoke({ kind: "token", jti: "one", issuer: undefined, until: end }),
      foreign: () => here.revoke({ kind: "token", jti: "one", issuer: "else", until: end }),
      key: () => here.revoke({ kind: "key", kid: "k1", until: end }),
      session: () => here.revoke({ kind: "session", sid: ada?.sid as string, until: end }),
      subject: () => here.revoke({ kind: "subject", subject: "bob", until: end }),
      everything: () => here.revoke({ kind: "everything", until: end }),
    };
    for (const [name, step] of Object.entries(steps)) {
      await step();
      const query = asked[name as keyof typeof asked];
      expect([name, await answer(here, query)]).toEqual([name, true]);
      await until(() => there.isRevoked(query) === true, 2_000);
    }
    expect(there.status().asked).toBe(before);
    const late = await here.open(login("eve", clock));
    expect(await answer(here, about("eve", { sid: late.sid }))).toBe(false);
    await until(() => there.isRevoked(about("eve", { sid: late.sid })) === false, 2_000);
  });

  it("reads what was revoked before it began, in pages, also while more is", async () => {
    const given = await kit.make(clock);
    const revoke = (name: string) =>
      given.store.revoke({ kind: "token", jti: name, issuer: undefined, until: later(clock) });
    const names = Array.from({ length: 1_200 }, (_, at) => `token ${at}`);
    for (let at = 0; at < 1_050; at += 50) await Promise.all(names.slice(at, at + 50).map(revoke));
    const [there] = await Promise.all([follow(given.other()), ...names.slice(1_050).map(revoke)]);
    const iat = Math.floor(clock() / 1000) + 2;
    const missing = () => names.filter((jti) => there.isRevoked(about("tom", { jti, iat })) !== true);
    await until(() => missing().length === 0, 3_000);
    expect(there.isRevoked(about("tom", { jti: "another", iat }))).toBe(false);
    expect(there.status()).toMatchObject({ behind: false, partitions: [{ resyncs: 0 }] });
  });

  it("logs everybody out where the store was emptied", async () => {
    const { given, here, there } = await two();
    clock.advance(1);
    const { sid } = await here.open(login("ada", clock));
    expect(there.isRevoked(about("ada", { sid }))).toBe(false);
    clock.advance(1);
    await given.empty();
    for (const replica of [here, there])
      await until(async () => (await answer(replica, about("ada", { sid }))) === true);
    const next = await here.open(login("ada", clock));
    for (const replica of [here, there]) {
      await until(() => replica.isFresh, 20_000);
      expect(replica.isRevoked(about("ada", { sid }))).toBe(true);
      expect(replica.isRevoked(about("ada", { sid: next.sid }))).toBe(false);
    }
  }, 40_000);

  for (const name of kit.troubles.filter((each) => /stopped|hung|a read replica|closed|locked/.test(each))) {
    it(`goes on with what it knows while the store is ${name}, and lets in nobody it is not sure of`, async () => {
      const { given, here } = await two();
      const trouble = given.troubles[name];
      const told: unknown[] = [];
      here.listen?.((notice) => told.push(notice));
      const iat = Math.floor(clock() / 1000) + 2;
      await here.revoke({ kind: "token", jti: "known", issuer: undefined, until: later(clock) });
      const [known, other] = ["known", "other"].map((jti) => about("tom", { jti, iat }));
      await until(() => here.isRevoked(other as never) === false);
      await trouble?.begin();
      try {
        expect(here.isRevoked(known as never)).toBe(true);
        await until(() => !here.isFresh, 5_000);
        expect(here.isRevoked(known as never)).toBe(true);
        if (trouble?.leaves === undefined) expect(await answer(here, other as never)).toBe("down");
        else expect(await answer(here, other as never)).toBe(false);
      } finally {
        await trouble?.end();
      }
      await until(() => here.isFresh, 20_000);
      expect(here.isRevoked(known as never)).toBe(true);
      expect(told.filter((notice) => notice === "replicaBehind").length).toBeGreaterThan(0);
      expect(told.at(-1)).toBe("replicaFresh");
    }, 60_000);
  }
}

for (const kit of [sqliteKit(), postgresKit(), mysqlKit(), redisKit()]) {
  const isMissing = kit.needs !== undefined && !available(kit.needs.what, kit.needs.present);
  describe.skipIf(isMissing)(`a replica of ${kit.name}`, () => overKit(kit));
}
