import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, stripPadding } from "../../../src/internal/base64url.ts";
import { createBoundedCache, type Kept } from "../../../src/internal/bounded-cache.ts";
import { createScratch } from "../../../src/internal/bytes.ts";
import { equalText } from "../../../src/internal/constant-time.ts";
import { parseDuration } from "../../../src/internal/duration.ts";
import { freezeDeep } from "../../../src/internal/freeze.ts";
import { parseObject } from "../../../src/internal/strict-json.ts";

describe("base64url", () => {
  test("gives back what was encoded", () => {
    for (let length = 0; length < 50; length++) {
      const bytes = Buffer.alloc(length, length * 7);
      expect(decode(bytes.toString("base64url"))).toEqual(bytes);
    }
  });

  test.each([
    "A",
    "AB==",
    "AB=",
    "A+BC",
    "A/BC",
    "AB C",
    "AB\nC",
    "AB.C",
    "AB",
    "AAB",
    "\u0141AAA",
    "AAA\u0141",
    "AAA\u00c1",
    "=",
    "AAAA=",
    "AAAA\0",
  ])("refuses %j", (text) => expect(decode(text)).toBeUndefined());

  test("takes what Buffer would write, and nothing else", () => {
    const unit = fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(..."AQgwEIMUYckos048zZ9-_") },
      { weight: 1, arbitrary: fc.constantFrom(..."+/= \n.\u00e9\u0141\u2028") },
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 70 }), (text) => {
        const bytes = Buffer.from(text, "base64url");
        expect(decode(text)).toEqual(bytes.toString("base64url") === text ? bytes : undefined);
      }),
      { numRuns: 2000 },
    );
  });

  test("cuts complete padding only", () => {
    expect(stripPadding("QQ==")).toBe("QQ");
    expect(stripPadding("QUE=")).toBe("QUE");
    expect(stripPadding("QQ=")).toBe("QQ=");
    expect(stripPadding("QQ")).toBe("QQ");
    expect(decode(stripPadding("===="))).toBeUndefined();
  });
});

describe("strict JSON", () => {
  const parse = (input: string | Uint8Array, lastNameWins = false, maxDepth = 32) => {
    const bytes = Buffer.from(input);
    const scratch = createScratch(bytes.length);
    bytes.copy(scratch.bytes);
    return parseObject(scratch, bytes.length, { lastNameWins, maxDepth });
  };

  test.each([
    "{}",
    '{"a":1}',
    '{"a":":b"}',
    '{"a":"\\":","b":1}',
    '{"a":"x:y","b":"\\\\"}',
    '{ "a" : [ { "b" : 1 } , { "b" : 2 } ] }',
    '{"a":{"a":{"a":1}}}',
    '{"\\u0061":1,"b":"{["}',
    '{"ä":"€","z":"😀"}',
    '{"__proto__":{"isAdmin":true},"constructor":1}',
    '{"a":"b c","d":[]}',
  ])("takes %s", (text) => {
    const value = parse(text);
    expect(typeof value).toBe("object");
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
    expect(Object.isFrozen(value)).toBe(true);
  });

  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"a":1,"a" :2}',
    '{"x":{"a":1,"a":1}}',
    '{"x":[{"a":1,"b":2,"a":3}]}',
    '{"__proto__":1,"__proto__":2}',
    '{"a":":x","a":1}',
    '{"1":0,"1":0}',
    '{"ä":1,"ä":2}',
  ])("refuses the repeated name in %s, unless the last wins", (text) => {
    expect(parse(text)).toBe("a member name is repeated");
    expect(parse(text, true)).toEqual(JSON.parse(text));
  });

  test.each([
    "",
    "[]",
    "null",
    "1",
    '"a"',
    "{",
    '{"a":1}x',
    "{'a':1}",
    '{"a":NaN}',
    '{"a":01}',
    '{"a":"\n"}',
    "\ufeff{}",
    '{"a":1,}',
    '{"a"',
  ])("refuses %j", (text) => expect(typeof parse(text)).toBe("string"));

  test("refuses what is no UTF-8", () => {
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
      expect(typeof parse(Buffer.from([...Buffer.from('{"a":"'), ...bad, ...Buffer.from('"}')]))).toBe("string");
    }
    expect(typeof parse(Buffer.from('{"a":1}', "utf16le"))).toBe("string");
  });

  test("refuses what is nested too deep, without a stack", () => {
    const nested = (depth: number) => `{"a":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
    expect(typeof parse(nested(32))).toBe("object");
    expect(parse(nested(33))).toBe("nested too deep");
    expect(parse(nested(50_000))).toBe("nested too deep");
    expect(typeof parse(nested(20_000), false, 1e9)).toBe("object");
  });

  test("changes no prototype", () => {
    const value = parse('{"__proto__":{"isAdmin":true}}') as Record<string, unknown>;
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
    expect(value.isAdmin).toBeUndefined();
    expect(Object.keys(value)).toEqual(["__proto__"]);
  });
});

test("freezes to the last level", () => {
  const data = { a: [{ b: { c: 1 } }] };
  expect(freezeDeep(data)).toBe(3);
  expect(Object.isFrozen(data.a[0]?.b)).toBe(true);
});

test("compares texts", () => {
  expect(equalText("abc", "abc")).toBe(true);
  expect(equalText("abc", "abd")).toBe(false);
  expect(equalText("abc", "ab")).toBe(false);
  expect(equalText("\u0141", "A")).toBe(false);
  expect(equalText("\u0141", "\u0141")).toBe(true);
  expect(equalText("", "")).toBe(true);
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), fc.nat(399), (text, at) => {
      expect(equalText(text, `${text} `.slice(0, -1))).toBe(true);
      const other = `${text.slice(0, at)}~${text.slice(at + 1)}`;
      expect(equalText(text, other)).toBe(text === other);
    }),
  );
});

describe("bounded cache", () => {
  interface Value extends Kept {
    readonly value: number;
  }
  const of = (value: number, bytes: number): Value => ({ value, bytes, used: false });

  test("keeps to its entries and prefers what is used", () => {
    const cache = createBoundedCache<string, Value>(3, 1000);
    for (const key of ["a", "b", "c"]) cache.set(key, of(1, 10));
    cache.get("a");
    cache.set("d", of(1, 10));
    expect(cache.size).toBe(3);
    expect(["a", "b", "c", "d"].map((key) => cache.get(key)?.value)).toEqual([1, undefined, 1, 1]);
  });

  test("keeps to its bytes", () => {
    const cache = createBoundedCache<string, Value>(100, 100);
    for (let i = 0; i < 20; i++) {
      cache.set(`k${i}`, of(i, 30));
      cache.get(`k${i}`);
      expect(cache.bytes).toBeLessThanOrEqual(100);
    }
    expect(cache.size).toBe(3);
    cache.set("big", of(1, 101));
    expect(cache.get("big")).toBeUndefined();
  });

  test("replaces and deletes", () => {
    const cache = createBoundedCache<string, Value>(2, 100);
    cache.set("a", of(1, 40));
    cache.set("a", of(2, 50));
    expect([cache.size, cache.bytes, cache.get("a")?.value]).toEqual([1, 50, 2]);
    cache.delete("a");
    cache.delete("a");
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  test("of no entries holds nothing", () => {
    const cache = createBoundedCache<string, Value>(0, 100);
    cache.set("a", of(1, 1));
    expect(cache.get("a")).toBeUndefined();
  });
});

describe("durations", () => {
  test.each([
    [0, 0],
    [1.5, 1.5],
    ["90s", 90],
    ["15m", 900],
    ["12h", 43_200],
    ["30d", 2_592_000],
    ["2w", 1_209_600],
    ["1.5h", 5400],
  ])("reads %s", (input, seconds) => expect(parseDuration(input)).toBe(seconds));

  test.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    "15",
    "m",
    "-5m",
    "5 m",
    "5M",
    "5y",
    "1e3s",
    " 5s",
    "5s\n",
    "99999999999999999s",
  ])("does not understand %j", (input) => expect(parseDuration(input)).toBeUndefined());
});
