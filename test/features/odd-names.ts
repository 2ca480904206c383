import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { refreshTokenId } from "../../src/sessions/secrets.ts";
import { passed, refused } from "../support/answers.ts";
import { askToken } from "../support/asking.ts";
import { claimsOf, forge } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { bearer, storeOver } from "../support/serve.ts";
import { alive, dead, type House, inHouse, type Pair, pairOf } from "../support/store-house.ts";

const ODD = [
  "' OR 1=1 --",
  '"; DROP TABLE jx_sessions; --',
  "a\\",
  "%",
  "_",
  "a\u0000b",
  "a'\\\"`$1?:x",
  "\u{1f600}",
  "*",
];

/** Names that mean something to a database, as subjects and as ids of tokens, sessions and keys. */
export function feature(harness: Harness): void {
  const use = (body: (house: House, clock: ReturnType<typeof fakeClock>) => Promise<void>) => {
    const clock = fakeClock();
    const store = storeOver(clock);
    clock.advance(60);
    return inHouse(store, clock, {}, (house) => body(house, clock), harness);
  };

  describe("odd names", () => {
    it("of subjects are names like any other, and reach nobody else", async () => {
      await use(async (house, clock) => {
        const { manager, me, refresh } = house;
        const ada = await manager.createTokenPair("ada");
        const pairs = await Promise.all(ODD.map((subject) => manager.createTokenPair(subject)));
        for (const [at, subject] of ODD.entries()) {
          const pair = pairs[at] as Pair;
          passed(await me(pair), subject);
          const next = pairOf(await refresh(pair));
          const listed = await manager.listSessions(subject);
          expect(listed.map(({ sessionId }) => sessionId)).toEqual([claimsOf(pair.access_token).sid]);
          clock.advance(0.001);
          await manager.revokeSubject(subject);
          await dead(house, next);
          for (const other of pairs.slice(at + 1, at + 3)) expect((await me(other)).status).toBe(200);
        }
        await alive(house, ada);
        expect((await manager.listSessions("ada")).length).toBe(1);
      });
    });

    it("of tokens, sessions and keys match nothing but themselves", async () => {
      await use(async ({ manager, me, refresh, client }, clock) => {
        const pair = await manager.createTokenPair("ada");
        const access = claimsOf(await manager.createAccessToken("ada"));
        const known = claimsOf(pair.refresh_token);
        const until = clock() + 3_600_000;
        for (const odd of ODD) {
          const byId = { ...pair, access_token: forge({ ...access, jti: odd }) };
          passed(await me(byId));
          await manager.revokeToken(byId.access_token);
          refused(await me(byId), 401, "token_revoked");

          const ofSession = { ...pair, access_token: forge({ ...access, jti: "some", sid: odd }) };
          refused(await me(ofSession), 401, "token_revoked");
          const claims = { ...known, sid: odd, jti: refreshTokenId(odd, 0) };
          expect((await refresh({ ...pair, refresh_token: forge(claims) })).status).toBe(401);
          const path = `/auth/sessions/${encodeURIComponent(odd)}`;
          const gone = await client.send({ method: "DELETE", path, headers: [bearer(pair.access_token)] });
          expect([odd, gone.status]).toEqual([odd, 404]);
          await manager.revokeSession(odd);

          const byKey = forge({ ...access, jti: "other" }, { alg: "HS256", typ: "JWT", kid: odd });
          expect([200, 401]).toContain((await askToken(manager, byKey)).status);
          await manager.config.store?.revoke({ kind: "key", kid: odd, until });
          expect((await askToken(manager, byKey)).status).toBe(401);
          passed(await me({ ...pair, access_token: forge({ ...access, jti: `${odd}.` }) }));
          passed(await me(pair));
        }
        pairOf(await refresh(pair));
        expect((await manager.listSessions("ada")).length).toBe(1);
      });
    });
  });
}
