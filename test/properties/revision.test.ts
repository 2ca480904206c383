import fc from "fast-check";
import { memoryStore, type RevocationQuery } from "jwt-extended";
import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { revisionOf } from "../../src/stores/revision.ts";
import { about, login, presented } from "../../src/testing/store-cases.ts";

const which = fc.nat(3);
const step = fc.oneof(
  fc.record({ what: fc.constantFrom("login", "rotate", "replay", "touch"), which }),
  fc.record({ what: fc.constantFrom("token", "foreign", "session", "subject", "key", "everything"), which }),
  fc.record({ what: fc.constantFrom("pass", "purge"), which }),
);
const FOREVER = Number.POSITIVE_INFINITY;

describe("the revision of what is revoked in memory", () => {
  it("changes before a token that was not revoked is", () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = fakeClock();
        const store = memoryStore({ clock });
        const revision = revisionOf(store);
        clock.advance(10);
        const sessions = await Promise.all([0, 1, 2, 3].map((n) => store.open(login(`user-${n}`, clock))));
        const iat = Math.floor(clock() / 1000);
        const queries: RevocationQuery[] = sessions.flatMap(({ sid, subject }, n) => [
          about(subject, { sid, jti: `${n}` }),
          about(subject, { jti: `${n}`, kid: `${n}`, iat }),
          about(subject, { jti: `${n}`, issuer: "else", iat }),
        ]);
        const standing = new Map<RevocationQuery, number | undefined>();
        const look = async (): Promise<void> => {
          for (const query of queries) {
            const isRevoked = await store.isRevoked(query);
            if (isRevoked) expect(standing.get(query)).not.toBe(revision());
            else standing.set(query, revision());
          }
        };
        await look();
        for (const { what, which: n } of steps) {
          const { sid, subject } = sessions[n] as (typeof sessions)[number];
          if (what === "login") await store.open(login(subject, clock));
          else if (what === "rotate") await store.rotate(presented(sid, (await store.read(sid))?.gen ?? 0, clock));
          else if (what === "replay") await store.rotate(presented(sid, 0, clock));
          else if (what === "touch") await store.touch(sid);
          else if (what === "token")
            await store.revoke({ kind: "token", jti: `${n}`, issuer: undefined, until: FOREVER });
          else if (what === "foreign")
            await store.revoke({ kind: "token", jti: `${n}`, issuer: "else", until: FOREVER });
          else if (what === "session") await store.revoke({ kind: "session", sid, until: FOREVER });
          else if (what === "subject") await store.revoke({ kind: "subject", subject, until: FOREVER });
          else if (what === "key") await store.revoke({ kind: "key", kid: `${n}`, until: FOREVER });
          else if (what === "everything") await store.revoke({ kind: "everything", until: FOREVER });
          else if (what === "pass") clock.advance(40);
          else await store.purge();
          await look();
        }
      }),
      { numRuns: 200 },
    ));

  it("speaks for the store itself alone, and only as long as it answers as it was made", () => {
    const store = memoryStore();
    expect(revisionOf(store)()).toEqual(expect.any(Number));
    expect(revisionOf({ ...store })()).toBeUndefined();
    const revision = revisionOf(store);
    store.isRevoked = () => true;
    expect(revision()).toBeUndefined();
  });
});
