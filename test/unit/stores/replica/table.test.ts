import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompactTable, expiryOf, readKey, readKeyText } from "../../../../src/stores/replica/table.ts";
import { MapTable } from "../../../support/map-table.ts";

const NOW = 1_700_000_000_000;
const ALL_SHARDS = 4096;
const keyOf = (name: number | string): Uint32Array =>
  readKey(createHash("sha256").update(String(name)).digest().subarray(0, 16), new Uint32Array(4));

describe("the table of revocations", () => {
  it("has what was put in and nothing else: 100,000 keys, each asked for right after it came, and 100,000 that never came", () => {
    const [present, absent] = ["in", "out"].map((where) =>
      Array.from({ length: 100_000 }, (_, at) => keyOf(`${where} ${at}`)),
    );
    for (const hasValues of [false, true]) {
      const table = new CompactTable(hasValues);
      let wrong = 0;
      const ask = (key: Uint32Array | undefined, there: boolean, value: number): void => {
        if (table.has(key as Uint32Array) !== there) wrong++;
        if (hasValues && table.get(key as Uint32Array) !== value) wrong++;
      };
      for (const [at, key] of present?.entries() ?? []) {
        ask(key, false, 0);
        table.set(key, NOW + at * 1000, NOW + at);
        // Also the insert that made its shard grow must be there at once, and those beside it after it.
        ask(key, true, NOW + at);
        ask(present?.[at >> 1], true, NOW + (at >> 1));
      }
      for (let at = 0; at < 100_000; at++) {
        ask(present?.[at], true, NOW + at);
        ask(absent?.[at], false, 0);
      }
      expect(wrong).toBe(0);
      expect(table.entries).toBe(100_000);
    }
  });

  it("answers as a Map does, whatever comes in whatever order", () => {
    const step = fc.record({
      what: fc.constantFrom("set", "set", "set", "ask", "sweep"),
      name: fc.nat(300),
      until: fc.oneof(
        fc.integer({ min: NOW - 100_000, max: NOW + 100_000 }),
        fc.constantFrom(
          0,
          -5,
          1e14,
          1e300,
          Number.NaN,
          Number.POSITIVE_INFINITY,
          Number.NEGATIVE_INFINITY,
          4_294_967_294_001,
        ),
      ),
      value: fc.oneof(fc.nat(), fc.maxSafeNat()),
      later: fc.nat(40_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.boolean(), (steps, hasValues) => {
        const [table, twin] = [new CompactTable(hasValues), new MapTable()];
        // Keys differ in each word alone, too.
        const named = (name: number): Uint32Array =>
          Uint32Array.of(name & 3, (name >> 2) & 3, (name >> 4) & 3, name >> 6);
        let now = NOW;
        for (const { what, name, until, value, later } of steps) {
          const key = named(name);
          if (what === "set") {
            table.set(key, until, value);
            twin.set(key, until, value);
          } else if (what === "sweep") {
            now += later;
            table.sweep(now, ALL_SHARDS);
            twin.sweep(now);
          }
          for (const asked of [key, named(name ^ 1), named(name ^ 64)]) {
            // What may go may be there for a while; what is there to stay must be there.
            if (twin.has(asked)) expect(table.has(asked)).toBe(true);
            if (twin.has(asked) && hasValues) expect(table.get(asked)).toBeGreaterThanOrEqual(twin.get(asked));
          }
        }
        expect(table.entries).toBeGreaterThanOrEqual(twin.entries);
        // Long after all but the last ones: what is left is what never goes.
        table.sweep(1e13, ALL_SHARDS);
        twin.sweep(1e13);
        for (let name = 0; name <= 300; name++) if (twin.has(named(name))) expect(table.has(named(name))).toBe(true);
        expect(table.entries - twin.entries).toBeLessThanOrEqual(table.entries / 16);
      }),
      { numRuns: 200 },
    );
  });

  it("keeps the later expiry and the greater value of an entry", () => {
    const table = new CompactTable(true);
    const key = keyOf("one");
    for (const [until, value] of [
      [NOW + 5_000, 2 ** 40],
      [NOW + 90_000, 7],
      [NOW + 1_000, 2 ** 45 + 1],
    ] as const) {
      table.set(key, until, value);
    }
    expect(table.get(key)).toBe(2 ** 45 + 1);
    table.sweep(NOW + 80_000, ALL_SHARDS);
    expect(table.has(key)).toBe(true);
    table.sweep(NOW + 90_000, ALL_SHARDS);
    expect(table.has(key)).toBe(false);
    expect(table.entries).toBe(0);
  });

  it("takes moments that do not fit into 32 bits for never, and rounds up", () => {
    expect(expiryOf(NOW + 1)).toBe(NOW / 1000 + 1);
    for (const until of [1e14, 4_294_967_294_001, Number.POSITIVE_INFINITY, Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(expiryOf(until)).toBe(4_294_967_295);
    }
    expect(expiryOf(4_294_967_294_000)).toBe(4_294_967_294);
    expect([expiryOf(0), expiryOf(-5), expiryOf(1)]).toEqual([1, 1, 1]);
    const table = new CompactTable(false);
    table.set(keyOf("for ever"), 1e11 * 1000);
    table.sweep(9e12, ALL_SHARDS);
    expect(table.has(keyOf("for ever"))).toBe(true);
  });

  it.each([false, true])("takes at most 40 bytes an entry, at every size (values: %s)", (hasValues) => {
    const table = new CompactTable(hasValues);
    const word = (): number => Math.floor(Math.random() * 2 ** 32);
    let most = 0;
    for (let at = 1; at <= 400_000; at++) {
      table.set(Uint32Array.of(word(), word(), word(), word()), NOW, NOW);
      if (at >= 100_000) most = Math.max(most, table.bytes / at);
    }
    expect(most).toBeLessThan(40);
    expect(table.entries).toBe(400_000);
  });

  it("gives back its room when entries go", () => {
    const table = new CompactTable(false);
    for (let at = 0; at < 50_000; at++) table.set(keyOf(at), at % 100 === 0 ? NOW * 2 : NOW);
    const full = table.bytes;
    expect(full / 50_000).toBeLessThan(40);
    table.sweep(NOW, ALL_SHARDS);
    expect(table.entries).toBe(500);
    expect(table.bytes).toBeLessThan(full / 4);
    for (let at = 0; at < 50_000; at += 100) expect(table.has(keyOf(at))).toBe(true);
  });

  it("does not let ids be chosen that meet in one place: each table spreads them in its own way", () => {
    // A shard of few entries takes as much as one of six, so the bytes tell over how many shards keys are spread.
    const chosen: readonly (readonly [string, (at: number) => readonly [number, number, number, number]])[] = [
      ["in a row", (at) => [at, 0, 0, 0]],
      ["that add up to nothing", (at) => [at, -at, at << 16, -(at << 16)]],
      ["in upper bits", (at) => [(at & 31) << 27, (at >> 5) << 27, 0, 0]],
      ["in the last word", (at) => [7, 7, 7, at << 21]],
    ];
    for (const [name, wordsOf] of chosen) {
      const sizes = Array.from({ length: 40 }, () => {
        const table = new CompactTable(false);
        const empty = table.bytes;
        for (let at = 1; at <= 1024; at++) table.set(Uint32Array.from(wordsOf(at)), NOW);
        return table.bytes - empty;
      });
      // 1024 keys at random take some 900 shards of 160 bytes.
      expect(
        sizes.filter((size) => size < 500 * 160),
        name,
      ).toEqual([]);
      if (name === "in a row") expect(new Set(sizes).size).toBeGreaterThan(1);
    }
  });

  it("reads a key alike from bytes and from text", () => {
    const digest = createHash("sha256").update("key").digest();
    const [bytes, text] = [new Uint32Array(4), new Uint32Array(4)];
    expect(readKeyText(digest.toString("latin1"), text)).toEqual(readKey(digest, bytes));
  });
});
