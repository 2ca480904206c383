import { describe, expect, it } from "vitest";
import { type AnyAuth, innermost, recall, remember } from "../../../src/context/state.ts";

const [first, second] = [{}, {}];
const authContext = (identity: string): AnyAuth => ({
  identity,
  claims: { sub: identity } as never,
  header: { alg: "HS256" },
  location: "headers",
  user: undefined,
  sessionId: undefined,
});

describe("what the guards of a request leave behind", () => {
  it.each([
    ["as it was made", false, {}],
    ["as Express changed it", true, {}],
    ["frozen", false, Object.freeze({})],
  ])("is found by manager, the newest first, on a request %s", (_, reshaped, request) => {
    expect([recall(request, first), innermost(request)]).toEqual([undefined, undefined]);
    const [one, two, three] = [authContext("one"), authContext("two"), authContext("three")];
    remember(request, first, one, reshaped);
    remember(request, second, two, reshaped);
    expect([recall(request, first), recall(request, second)]).toEqual([one, two]);
    remember(request, first, three, reshaped);
    expect([recall(request, first), recall(request, second)]).toEqual([three, two]);
    expect(innermost(request)?.auth).toBe(three);
    expect(recall({}, first)).toBeUndefined();
  });

  it("is found wherever adapters kept it, in any order", () => {
    for (const order of [0b000, 0b001, 0b010, 0b011, 0b100, 0b101, 0b110, 0b111]) {
      const request = {};
      const auths = ["one", "two", "three"].map(authContext);
      for (const [at, auth] of auths.entries())
        remember(request, at === 1 ? second : first, auth, (order & (1 << at)) > 0);
      expect([order, recall(request, first), recall(request, second)]).toEqual([order, auths[2], auths[1]]);
      expect(innermost(request)?.auth).toBe(auths[2]);
    }
  });
});
