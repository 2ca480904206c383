import { type JwtEventName, memoryStore, StoreUnavailableError } from "jwt-extended";
import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { ask, askToken, codeOf } from "../support/asking.ts";
import { claimsOf } from "../support/forge.ts";
import { managerOf } from "../support/serve.ts";
import { hanging } from "../support/stores.ts";

const NAMES: readonly JwtEventName[] = [
  "issued",
  "refreshed",
  "raced",
  "suspicious",
  "reused",
  "revoked",
  "denied",
  "storeDown",
  "storeBack",
  "storeForgot",
  "storeRewound",
];
const LAPTOP = { userAgent: "a laptop", address: "203.0.113.7" };
const PHONE = { userAgent: "a phone", address: "203.0.113.8" };

/** A manager whose every event is written down, and whose store can be made to fail. */
function make(options: Record<string, unknown> = {}) {
  const clock = fakeClock();
  const memory = memoryStore({ clock });
  clock.advance(10);
  const down: { how?: (() => unknown) | undefined } = {};
  const store = new Proxy(memory, {
    get: (target, name, receiver) =>
      down.how && typeof name === "string" ? down.how : Reflect.get(target, name, receiver),
  });
  const said: string[] = [];
  const manager = managerOf({ clock, store, storeTimeout: 0.05, warn: (text: string) => said.push(text), ...options });
  const events: [string, Record<string, unknown>][] = [];
  for (const name of NAMES) manager.on(name, (event) => events.push([name, event as Record<string, unknown>]));
  const heard = (): [string, Record<string, unknown>][] => events.splice(0);
  return { clock, memory, down, manager, said, heard, names: () => heard().map(([name]) => name) };
}

describe("events", () => {
  it("tell each step of a login once", async () => {
    const { clock, manager, heard } = make();
    const first = await manager.createTokenPair("ada", { client: LAPTOP });
    const who = { subject: "ada", sessionId: claimsOf(first.access_token).sid };
    const laptop = { userAgent: "a laptop", address: expect.stringMatching(/^[\w-]{20,}$/) };
    expect(heard()).toEqual([["issued", { ...who, ...laptop }]]);
    const second = await manager.refreshTokenPair(first.refresh_token, LAPTOP);
    expect(heard()).toEqual([["refreshed", { ...who, ...laptop }]]);
    await manager.refreshTokenPair(first.refresh_token, LAPTOP);
    expect(heard()).toEqual([["raced", { ...who, ...laptop, before: laptop }]]);
    await manager.refreshTokenPair(first.refresh_token, PHONE);
    const [raced, suspicious, ...rest] = heard();
    expect([raced?.[0], suspicious?.[0], rest]).toEqual(["raced", "suspicious", []]);
    expect(suspicious?.[1]).toMatchObject({ ...who, userAgent: "a phone", before: laptop });
    clock.advance(11);
    expect(await codeOf(() => manager.refreshTokenPair(first.refresh_token, PHONE))).toBe("token_reused");
    expect(heard()).toEqual([["reused", { ...who, userAgent: "a phone", address: expect.any(String) }]]);
    expect(await codeOf(() => manager.refreshTokenPair(second.refresh_token))).toBe("session_ended");
    expect(heard()).toEqual([]);
  });

  it("tell what was revoked", async () => {
    const { manager, heard } = make();
    const pair = await manager.createTokenPair("ada");
    const sessionId = claimsOf(pair.access_token).sid;
    const other = await manager.createAccessToken("ada");
    heard();
    await manager.revokeToken(other);
    await manager.revokeToken(pair.access_token);
    await manager.revokeToken(pair.refresh_token);
    await manager.revokeSubject("ada");
    await manager.revokeEverything();
    expect(heard()).toEqual([
      ["revoked", { grain: "token", subject: "ada", sessionId: undefined }],
      ["revoked", { grain: "token", subject: "ada", sessionId }],
      ["revoked", { grain: "session", subject: undefined, sessionId }],
      ["revoked", { grain: "subject", subject: "ada", sessionId: undefined }],
      ["revoked", { grain: "everything", subject: undefined, sessionId: undefined }],
    ]);
  });

  it("tell what was refused, and of whom where a token of ours said so", async () => {
    const { manager, heard } = make();
    const pair = await manager.createTokenPair("ada");
    const sessionId = claimsOf(pair.access_token).sid;
    heard();
    await askToken(manager, pair.access_token);
    expect(heard()).toEqual([]);
    await askToken(manager, pair.refresh_token);
    await ask(manager, {});
    await manager.revokeSession(String(sessionId));
    await askToken(manager, pair.access_token);
    const denied = heard().filter(([name]) => name === "denied");
    expect(denied.map(([, { code }]) => code)).toEqual(["wrong_token_type", "token_missing", "token_revoked"]);
    expect(denied[1]?.[1]).toEqual({ code: "token_missing", subject: undefined, sessionId: undefined });
  });

  it("tell once that the store is down, and once that it is back", async () => {
    const ways = [() => Promise.reject(new Error("refused")), () => hanging(), () => "nonsense"];
    for (const how of ways) {
      const { manager, down, names } = make();
      const token = await manager.createAccessToken("ada");
      expect(names()).toEqual([]);
      down.how = how;
      for (let times = 0; times < 3; times++) expect((await askToken(manager, token)).status).toBe(503);
      expect(await codeOf(() => manager.createTokenPair("ada"))).toBe("store_unavailable");
      expect(names().filter((name) => name !== "denied")).toEqual(["storeDown"]);
      down.how = undefined;
      for (let times = 0; times < 2; times++) expect((await askToken(manager, token)).id).toBe("ada");
      expect(names()).toEqual(["storeBack"]);
      down.how = how;
      await askToken(manager, token);
      expect(names()).toEqual(["storeDown", "denied"]);
    }
  });

  it("do not call a store down whose replicas did not keep up", async () => {
    const { manager, down, names } = make();
    const { access_token } = await manager.createTokenPair("ada");
    const { sid } = await manager.decodeToken(access_token);
    await manager.revokeSession("warm-up-of-the-limits");
    names();
    down.how = () => Promise.reject(new StoreUnavailableError("not_durable"));
    expect(await codeOf(() => manager.revokeSession(sid ?? ""))).toBe("not_durable");
    expect(names()).toEqual([]);
  });

  it("tell that the store lost writes, and that it forgot", async () => {
    const { manager, memory, heard } = make();
    const first = await manager.createTokenPair("ada");
    const sid = String(claimsOf(first.access_token).sid);
    const row = await memory.read(sid);
    const second = await manager.refreshTokenPair(first.refresh_token);
    heard();
    Object.assign((await memory.read(sid)) as object, row);
    expect(claimsOf((await manager.refreshTokenPair(second.refresh_token)).refresh_token)).toMatchObject({ gen: 2 });
    const who = { subject: "ada", sessionId: sid };
    const nobody = { userAgent: undefined, address: undefined };
    expect(heard()).toEqual([
      ["refreshed", { ...who, ...nobody }],
      ["storeRewound", who],
    ]);
    let notify = (_: "storeForgot"): void => {};
    const listen = (to: typeof notify): void => {
      notify = to;
    };
    const telling = make({ store: { ...memory, listen } });
    notify("storeForgot");
    expect(telling.heard()).toEqual([["storeForgot", {}]]);
  });

  it("hold no token, no part of one, and no address", async () => {
    const { clock, manager, heard } = make();
    const pairs = [await manager.createTokenPair("ada", { client: LAPTOP })];
    for (let times = 0; times < 2; times++) {
      pairs.push(await manager.refreshTokenPair(pairs.at(-1)?.refresh_token ?? "", PHONE));
    }
    await manager.refreshTokenPair(pairs[1]?.refresh_token ?? "", LAPTOP);
    clock.advance(11);
    await codeOf(() => manager.refreshTokenPair(pairs[0]?.refresh_token ?? "", PHONE));
    for (const pair of pairs) await askToken(manager, pair.access_token);
    await codeOf(() => manager.revokeToken(pairs[0]?.access_token ?? ""));
    const events = heard();
    expect(new Set(events.map(([name]) => name)).size).toBeGreaterThan(5);
    const text = JSON.stringify(events);
    for (const { access_token, refresh_token } of pairs) {
      for (const token of [access_token, refresh_token]) {
        for (const part of token.split(".")) expect(text).not.toContain(part.slice(0, 40));
        for (const name of ["jti", "csrf"]) expect(text).not.toContain(String(claimsOf(token)[name] ?? "-----"));
      }
    }
    for (const { address } of [LAPTOP, PHONE]) expect(text).not.toContain(address);
  });

  it("are heard until the listener is taken away", async () => {
    const { manager } = make();
    const heard: string[] = [];
    const [one, two] = ["one", "two"].map((name) => manager.on("issued", () => heard.push(name)));
    await manager.createTokenPair("ada");
    one?.();
    one?.();
    await manager.createTokenPair("ada");
    two?.();
    await manager.createTokenPair("ada");
    expect(heard).toEqual(["one", "two", "two"]);
  });

  it("decide nothing: a listener that throws changes no answer, and is told once per event without what it threw", async () => {
    const { manager, said } = make();
    const heard: string[] = [];
    const names = ["issued", "refreshed", "raced", "reused", "revoked", "denied"] as const;
    for (const name of names) {
      manager.on(name, () => {
        throw new Error("a secret of the listener");
      });
      manager.on(name, () => heard.push(name));
    }
    const first = await manager.createTokenPair("ada");
    await manager.refreshTokenPair(first.refresh_token);
    await manager.refreshTokenPair(first.refresh_token);
    expect((await askToken(manager, first.refresh_token)).code).toBe("wrong_token_type");
    await manager.revokeSession(String(claimsOf(first.access_token).sid));
    expect((await askToken(manager, first.access_token)).code).toBe("token_revoked");
    expect(heard).toEqual(["issued", "refreshed", "raced", "denied", "revoked", "denied"]);
    expect(said.filter((text) => text.includes("a listener of the event")).length).toBe(heard.length);
    expect(said.join()).not.toContain("secret of the listener");
  });
});
