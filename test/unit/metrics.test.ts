import { type AnyClaims, instrument, type JWTManager, type Meter, memoryStore } from "jwt-extended";
import { afterEach, describe, expect, it, vi } from "vitest";
import { askToken } from "../support/asking.ts";
import { replicaLab } from "../support/replica-lab.ts";
import { managerOf } from "../support/serve.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A meter that keeps what it is told, as those of OpenTelemetry do. */
function makeMeter() {
  const written: [string, number, object][] = [];
  const observers = new Map<string, Set<Parameters<ReturnType<Meter["createObservableGauge"]>["addCallback"]>[0]>>();
  const meter: Meter = {
    createCounter: (name) => ({ add: (value, attributes) => void written.push([name, value, attributes]) }),
    createHistogram: (name) => ({ record: (value, attributes) => void written.push([name, value, attributes]) }),
    createObservableGauge(name) {
      const all: NonNullable<ReturnType<typeof observers.get>> = new Set();
      observers.set(name, all);
      return { addCallback: (each) => void all.add(each), removeCallback: (each) => void all.delete(each) };
    },
  };
  const read = (): Record<string, number> => {
    const found: Record<string, number> = {};
    for (const [name, all] of observers) {
      for (const observe of all) {
        observe({
          observe: (value) => {
            found[name] = value;
          },
        });
      }
    }
    return found;
  };
  return { meter, written, read };
}

describe("numbers of a manager", () => {
  it("count refusals by code, and calls of the store with the time they took", async () => {
    const memory = memoryStore();
    const slow = {
      ...memory,
      isRevoked: async (query: Parameters<typeof memory.isRevoked>[0]) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return memory.isRevoked(query);
      },
    };
    const manager = managerOf({ store: slow });
    expect(manager.stats()).toEqual({
      denied: {},
      store: { calls: 0, failed: 0, totalMs: 0, maxMs: 0 },
      replica: undefined,
    });
    const { access_token: token, refresh_token } = await manager.createTokenPair("ada");
    const before = manager.stats().store;
    expect((await askToken(manager, token)).code).toBeUndefined();
    await askToken(manager, refresh_token);
    await askToken(manager, "nonsense");
    await askToken(manager, "nonsense");
    const { denied, store } = manager.stats();
    expect(denied).toEqual({ wrong_token_type: 1, token_invalid: 2 });
    expect(store.maxMs).toBeGreaterThanOrEqual(19);
    expect(store.totalMs).toBeGreaterThanOrEqual(before.totalMs + 19);
    expect(store.failed).toBe(0);
    slow.isRevoked = () => Promise.reject(new Error("out of service"));
    await askToken(manager, token);
    expect(manager.stats().store.failed).toBe(1);
    expect(manager.stats().denied.store_unavailable).toBe(1);
  });

  it("cost nothing where a store answers at once: such checks are no calls", async () => {
    const manager = managerOf({ store: memoryStore() });
    const { access_token: token } = await manager.createTokenPair("ada");
    const before = manager.stats().store.calls;
    await askToken(manager, token);
    await new Promise((resolve) => setImmediate(resolve));
    expect(manager.stats().store.calls - before).toBeLessThanOrEqual(1); // the note that the session is in use
  });

  it("are told to a meter until it is taken away", async () => {
    const manager: JWTManager<undefined, AnyClaims> = managerOf({ store: memoryStore() });
    const { meter, written, read } = makeMeter();
    const stop = instrument(manager, meter);
    const { refresh_token } = await manager.createTokenPair("ada");
    await askToken(manager, refresh_token);
    expect(written).toContainEqual(["jwt_extended.denied", 1, { code: "wrong_token_type" }]);
    expect(written).toContainEqual(["jwt_extended.store.duration", expect.any(Number), { call: "open", ok: true }]);
    for (const [name, value] of written) if (name.endsWith("duration")) expect(value).toBeLessThan(5);
    expect(read()).toEqual({});
    stop();
    const told = written.length;
    await askToken(manager, refresh_token);
    expect(written.length).toBe(told);
  });

  it("tell what a replica holds, and how old it is", async () => {
    const lab = replicaLab();
    const manager = managerOf({ store: lab.replica, clock: () => lab.trueNow() });
    const { meter, read } = makeMeter();
    instrument(manager, meter);
    lab.faults.isHung = true;
    expect(manager.stats().replica).toMatchObject({ entries: 0, stalenessMs: Number.POSITIVE_INFINITY, behind: true });
    expect(Object.keys(read())).toEqual(["jwt_extended.replica.entries", "jwt_extended.replica.size"]);
    lab.faults.isHung = false;
    await lab.pass(4_000);
    await lab.store.revoke({ kind: "token", jti: "one", issuer: undefined, until: Number.POSITIVE_INFINITY });
    await lab.pass(500);
    expect(read()["jwt_extended.replica.entries"]).toBe(1);
    expect(read()["jwt_extended.replica.staleness"]).toBeLessThan(2);
    lab.faults.isCut = true;
    await lab.pass(6_000);
    expect(read()["jwt_extended.replica.staleness"]).toBeGreaterThan(5);
    expect(manager.stats().replica?.behind).toBe(true);
    lab.replica.close();
  });
});

describe("a manager over a replica", () => {
  it("tells when the copy falls behind and when it is young again, and takes its answers for no sign of the store", async () => {
    const lab = replicaLab();
    const manager = managerOf({ store: lab.replica, clock: () => lab.trueNow() });
    const told: [string, unknown][] = [];
    for (const name of ["replicaFresh", "replicaBehind", "storeDown", "storeBack", "storeForgot"] as const) {
      manager.on(name, (event) => told.push([name, event]));
    }
    await lab.pass(2_000);
    expect(told.splice(0)).toEqual([["replicaFresh", {}]]);
    const token = (await manager.createTokenPair("ada")).access_token;
    const other = (await manager.createTokenPair("bob")).access_token;
    expect((await askToken(manager, token)).code).toBeUndefined();
    await manager.revokeSubject("bob");
    await lab.pass(1_500);
    lab.faults.isCut = true;
    lab.isDown = true;
    await lab.pass(3_000);
    expect((await askToken(manager, token)).code).toBeUndefined();
    await lab.pass(3_000);
    const asked = askToken(manager, token);
    await lab.pass(1_500);
    expect((await asked).code).toBe("store_unavailable");
    expect(told.splice(0)).toEqual([
      ["replicaBehind", { detail: "the way to the store is cut" }],
      ["storeDown", { detail: "the store threw" }],
    ]);
    // What is known is refused, and that is no sign that the store is back.
    expect((await askToken(manager, other)).code).toBe("token_revoked");
    expect(told).toEqual([]);
    lab.faults.isCut = false;
    await lab.pass(1_500);
    expect((await askToken(manager, token)).code).toBeUndefined();
    expect(told.splice(0)).toEqual([["replicaFresh", {}]]);
    await manager.createTokenPair("eve");
    expect(told.splice(0)).toEqual([["storeBack", {}]]);
    lab.replica.close();
  });

  it("lets in the tokens that are not known to be revoked where the application says so, and no other", async () => {
    const lab = replicaLab();
    const manager = managerOf({ store: lab.replica, clock: () => lab.trueNow(), onStoreError: "allow" });
    await lab.pass(1_000);
    const [good, bad] = [await manager.createTokenPair("ada"), await manager.createTokenPair("bob")];
    await manager.revokeSession(String(JSON.parse(atob(bad.access_token.split(".")[1] as string)).sid));
    lab.faults.isCut = true;
    lab.isDown = true;
    await lab.pass(7_000);
    expect((await askToken(manager, bad.access_token)).code).toBe("token_revoked");
    const asked = askToken(manager, good.access_token);
    await lab.pass(1_500);
    expect((await asked).code).toBeUndefined();
    lab.replica.close();
  });
});
