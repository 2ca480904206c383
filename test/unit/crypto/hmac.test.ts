import { createHmac as createNodeHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHmac } from "../../../src/crypto/hmac.ts";

const HASHES = ["sha256", "sha384", "sha512"] as const;

describe.each(HASHES)("HMAC over %s", (hash) => {
  const expected = (key: Uint8Array, message: string) =>
    createNodeHmac(hash, key).update(message, "latin1").digest("base64url");

  test("agrees with node:crypto for key lengths 32 to 300", () => {
    for (let length = 32; length <= 300; length++) {
      const key = Buffer.alloc(length, length);
      expect(createHmac(hash, key, true).sign("some.message")).toBe(expected(key, "some.message"));
    }
  });

  test("agrees for messages around its buffers, in any order", () => {
    const key = Buffer.alloc(32, 1);
    const mac = createHmac(hash, key, true);
    for (const size of [
      0, 1, 1023, 1024, 1025, 10, 16_383, 16_384, 16_385, 10, 1024, 40_000, 10, 16_385, 16_385, 5000,
    ]) {
      const message = "m".repeat(size);
      const mark = expected(key, message);
      expect(mac.sign(message), String(size)).toBe(mark);
      expect(mac.verify(`${message}.${mark}`, size), String(size)).toBe(true);
      expect(mac.verify(`${message}.${mark.slice(1)}`, size), String(size)).toBe(false);
    }
  });

  test("agrees for any key and message, with and without one-shot hashes", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ABCabc019-_."), maxLength: 3000 });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.array(text, { minLength: 1, maxLength: 5 }),
        (key, messages) => {
          const fast = createHmac(hash, key, true);
          const classic = createHmac(hash, key, false);
          for (const message of messages) {
            expect(fast.sign(message)).toBe(expected(key, message));
            expect(classic.sign(message)).toBe(expected(key, message));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("takes its own MAC and none that differs in a character, is cut or longer", () => {
    const key = Buffer.alloc(32, 7);
    fc.assert(
      fc.property(fc.boolean(), fc.nat(85), fc.constantFrom(..."Az09-_.=\u00e9"), (oneShot, at, other) => {
        const mac = createHmac(hash, key, oneShot);
        const mark = mac.sign("a.b");
        expect(mac.verify(`a.b.${mark}`, 3)).toBe(true);
        expect(mac.verify(`a.b.${mark}${other}`, 3)).toBe(false);
        expect(mac.verify(`a.b.${mark.slice(0, at % mark.length)}`, 3)).toBe(false);
        const changed = `${mark.slice(0, at % mark.length)}${other}${mark.slice((at % mark.length) + 1)}`;
        expect(mac.verify(`a.b.${changed}`, 3)).toBe(changed === mark);
        expect(mac.verify(`a.c.${mark}`, 3)).toBe(false);
      }),
    );
  });
});
