import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMac } from "../../../src/crypto/hmac.ts";

const HASHES = ["sha256", "sha384", "sha512"] as const;

describe.each(HASHES)("HMAC over %s", (hash) => {
  const expected = (key: Uint8Array, message: string) =>
    createHmac(hash, key).update(message, "latin1").digest("base64url");

  test("agrees with node:crypto for key lengths 32 to 300", () => {
    for (let length = 32; length <= 300; length++) {
      const key = Buffer.alloc(length, length);
      expect(createMac(hash, key, true)("some.message")).toBe(expected(key, "some.message"));
    }
  });

  test("agrees for messages around its buffers, in any order", () => {
    const key = Buffer.alloc(32, 1);
    const mac = createMac(hash, key, true);
    for (const size of [
      0, 1, 1023, 1024, 1025, 10, 16_383, 16_384, 16_385, 10, 1024, 40_000, 10, 16_385, 16_385, 5000,
    ]) {
      const message = "m".repeat(size);
      expect(mac(message), String(size)).toBe(expected(key, message));
    }
  });

  test("agrees for any key and message, with and without one-shot hashes", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ABCabc019-_."), maxLength: 3000 });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.array(text, { minLength: 1, maxLength: 5 }),
        (key, messages) => {
          const fast = createMac(hash, key, true);
          const classic = createMac(hash, key, false);
          for (const message of messages) {
            expect(fast(message)).toBe(expected(key, message));
            expect(classic(message)).toBe(expected(key, message));
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
