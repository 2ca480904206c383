import fc from "fast-check";
import { expect, test } from "vitest";
import { newSessionId, sessionBirth } from "../../../src/stores/session-id.ts";

test("a session id tells its birth", () => {
  fc.assert(
    fc.property(fc.nat(2 ** 48 - 1), (born) => {
      expect(sessionBirth(newSessionId(born))).toBe(born);
    }),
  );
});

test("text that is no session id tells none, and never throws", () => {
  const byRule = (text: string) =>
    /^[A-Za-z0-9_-]{29}[AQgw]$/.test(text) ? Buffer.from(text, "base64url").readUIntBE(0, 6) : undefined;
  const unit = fc.oneof(fc.constantFrom(..."AQgwB-_+/="), fc.string({ unit: "binary", minLength: 1, maxLength: 1 }));
  fc.assert(
    fc.property(fc.nat(2 ** 48 - 1), fc.nat(29), unit, (born, at, odd) => {
      const id = newSessionId(born);
      for (const text of [`${id.slice(0, at)}${odd}${id.slice(at + 1)}`, id.slice(0, at), `${id}${odd}`]) {
        expect(sessionBirth(text)).toBe(byRule(text));
      }
    }),
  );
});
