import { fakeClock } from "jwt-extended/testing";
import { describe, expect, it } from "vitest";
import { act, passed, refused, who } from "../support/answers.ts";
import { claimsOf, forge } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import { readyRoutes } from "../support/ready.ts";
import { bearer, type Client, managerOf, serving } from "../support/serve.ts";

interface Pair {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** The six members that make two refresh tokens the same successor. */
const name = (token: string): unknown[] => {
  const { sid, gen, jti, sub, iat, exp } = claimsOf(token);
  return [sid, gen, jti, sub, iat, exp];
};

/** What becomes of a refresh token that comes twice, through the ready route. */
export function feature(harness: Harness): void {
  function make(options: Record<string, unknown> = {}) {
    const clock = fakeClock();
    const manager = managerOf({ clock, ...options });
    clock.advance(10);
    const reused: unknown[] = [];
    manager.on("reused", (event) => reused.push(event));
    const use = (body: (client: Client, ask: (token: string) => ReturnType<Client["get"]>) => Promise<void>) =>
      serving(harness, manager, [who(), who({ fresh: true }, "/fresh")], readyRoutes(manager), (client) =>
        body(client, (token) => client.postJson("/auth/refresh", JSON.stringify({ refresh_token: token }))),
      );
    return { clock, manager, reused, use };
  }
  const pairOf = (answer: { status: number; json(): unknown }): Pair => {
    expect(answer.status).toBe(200);
    return answer.json() as Pair;
  };

  describe("rotation", () => {
    it("takes a refresh token once, and ends the session where it comes again", async () => {
      const { clock, manager, reused, use } = make({ grace: 0 });
      const [first, other] = [await manager.createTokenPair("ada"), await manager.createTokenPair("ada")];
      await use(async ({ get }, ask) => {
        const answer = await ask(first.refresh_token);
        expect([answer.header("cache-control"), answer.setCookies]).toEqual([["no-store"], []]);
        const second = pairOf(answer);
        passed(await get("/me", bearer(second.access_token)));
        clock.advance(1);
        refused(await ask(first.refresh_token), 401, "token_reused");
        expect(reused).toEqual([
          expect.objectContaining({ subject: "ada", sessionId: claimsOf(first.access_token).sid }),
        ]);
        refused(await ask(second.refresh_token), 401, "session_ended");
        refused(await ask(first.refresh_token), 401, "session_ended");
        for (const token of [first.access_token, second.access_token])
          refused(await get("/me", bearer(token)), 401, "token_revoked");
        expect(reused.length).toBe(1);
        passed(await get("/me", bearer(other.access_token)));
        pairOf(await ask(other.refresh_token));
      });
    });

    it("gives everybody who races the same successor", async () => {
      const { manager, reused, use } = make();
      const first = await manager.createTokenPair("ada");
      await use(async ({ get }, ask) => {
        const answers = await Promise.all(Array.from({ length: 50 }, () => ask(first.refresh_token)));
        const pairs = answers.map(pairOf);
        expect(new Set(pairs.map(({ refresh_token }) => JSON.stringify(name(refresh_token)))).size).toBe(1);
        expect(new Set(pairs.map(({ access_token }) => claimsOf(access_token).jti)).size).toBe(50);
        for (const { access_token } of pairs.slice(-3)) passed(await get("/me", bearer(access_token)));
        expect(claimsOf(pairs[0]?.refresh_token ?? "")).toMatchObject({ gen: 1 });
        expect(claimsOf(pairOf(await ask(pairs[0]?.refresh_token ?? "")).refresh_token)).toMatchObject({ gen: 2 });
        expect(reused).toEqual([]);
      });
    });

    it("knows no grace for older tokens, and an end of it for the last one", async () => {
      for (const [grace, wait, fine] of [
        ["10s", 10, true],
        ["10s", 10.001, false],
        [60, 60, true],
        [0, 0.001, false],
      ] as const) {
        const { clock, manager, use } = make({ grace });
        const first = await manager.createTokenPair("ada");
        await use(async (_client, ask) => {
          const second = pairOf(await ask(first.refresh_token));
          clock.advance(wait);
          const answer = await ask(first.refresh_token);
          if (!fine) return refused(answer, 401, "token_reused");
          expect(name(pairOf(answer).refresh_token)).toEqual(name(second.refresh_token));
          pairOf(await ask(second.refresh_token));
          // Its child was used: two generations back is theft, also inside the grace.
          return refused(await ask(first.refresh_token), 401, "token_reused");
        });
      }
    });

    it("lets nothing live after a race with a token that was spent", async () => {
      for (let round = 0; round < 5; round++) {
        const { clock, manager, use } = make({ grace: 0 });
        const first = await manager.createTokenPair("ada");
        await use(async ({ get }, ask) => {
          const second = pairOf(await ask(first.refresh_token));
          clock.advance(1);
          const asked = round % 2 ? [first, second] : [second, first];
          const answers = await Promise.all(asked.map(({ refresh_token }) => ask(refresh_token)));
          const won = answers.filter(({ status }) => status === 200).map(pairOf);
          for (const { access_token, refresh_token } of [first, second, ...won]) {
            refused(await get("/me", bearer(access_token)), 401, "token_revoked");
            refused(await ask(refresh_token), 401, "session_ended");
          }
        });
      }
    });

    it("revives no session, whatever is tried", async () => {
      const { clock, manager, use } = make({ grace: 0 });
      const first = await manager.createTokenPair("ada");
      await use(async ({ get }, ask) => {
        const second = pairOf(await ask(first.refresh_token));
        const third = pairOf(await ask(second.refresh_token));
        clock.advance(1);
        refused(await ask(first.refresh_token), 401, "token_reused");
        for (const { refresh_token } of [first, second, third]) refused(await ask(refresh_token), 401, "session_ended");
        // Signed by our key, but named as no token of a session is.
        const claims = claimsOf(third.refresh_token);
        const live = claimsOf((await manager.createTokenPair("ada")).refresh_token);
        for (const change of [{ jti: "another" }, { gen: 7 }, { gen: -1 }, { gen: "1" }, { gen: 0.5 }, { gen: null }]) {
          refused(await ask(forge({ ...claims, ...change })), 401, "token_claim");
          refused(await ask(forge({ ...live, ...change })), 401, "token_claim");
        }
        refused(await ask(forge({ ...live, sid: claims.sid })), 401, "token_claim");
        refused(await ask(forge({ ...claims, sub: "bob" })), 401, "session_unknown");
        refused(await get("/me", bearer(third.access_token)), 401, "token_revoked");
      });
    });

    it("leaves an expired token of an old generation without effect", async () => {
      const { clock, manager, reused, use } = make({ refreshTokenExpires: "1h", accessTokenExpires: "30m", leeway: 0 });
      const first = await manager.createTokenPair("ada");
      await use(async (_client, ask) => {
        clock.advance(1800);
        const second = pairOf(await ask(first.refresh_token));
        clock.advance(1801);
        refused(await ask(first.refresh_token), 401, "token_expired");
        expect(reused).toEqual([]);
        pairOf(await ask(second.refresh_token));
      });
    });

    it("stops at the absolute end, which no refresh token outlives", async () => {
      const { clock, manager, use } = make({ maxRefreshLifetime: "30d", refreshTokenExpires: "7d", leeway: 0 });
      const start = clock() / 1000;
      await use(async (_client, ask) => {
        let pair: Pair = await manager.createTokenPair("ada");
        for (let day = 1; day < 30; day++) {
          clock.advance(86_400);
          pair = pairOf(await ask(pair.refresh_token));
          expect(Number(claimsOf(pair.refresh_token).exp)).toBeLessThanOrEqual(start + 30 * 86_400);
        }
        expect(claimsOf(pair.refresh_token).exp).toBe(start + 30 * 86_400);
        clock.advance(86_400);
        expect((await ask(pair.refresh_token)).status).toBe(401);
      });
    });

    it("makes no token fresh", async () => {
      const { manager, use } = make();
      const login = await manager.createTokenPair("ada", { fresh: true });
      await use(async ({ get, postJson }) => {
        passed(await get("/fresh", bearer(login.access_token)));
        const body = JSON.stringify({ refresh_token: login.refresh_token, fresh: true, grace: 60 });
        const renewed = pairOf(await postJson("/auth/refresh", body));
        refused(await get("/fresh", bearer(renewed.access_token)), 401, "token_not_fresh");
        passed(await get("/me", bearer(renewed.access_token)));
      });
    });

    it("has no token that works after logout and refresh ran at once", async () => {
      const { manager, use } = make();
      await use(async ({ get, send }, ask) => {
        for (let round = 0; round < 20; round++) {
          const pair = await manager.createTokenPair("ada");
          const logout = send({ method: "POST", path: "/auth/logout", headers: [bearer(pair.access_token)] });
          const [renewed, gone] = await Promise.all(
            round % 2 ? [ask(pair.refresh_token), logout] : [logout, ask(pair.refresh_token)].reverse(),
          );
          expect(gone?.status).toBe(204);
          const left = renewed?.status === 200 ? [pair, pairOf(renewed)] : [pair];
          for (const { access_token, refresh_token } of left) {
            refused(await get("/me", bearer(access_token)), 401, "token_revoked");
            refused(await ask(refresh_token), 401, "session_ended");
          }
        }
      });
    });

    it("takes no token for another", async () => {
      const { manager, use } = make();
      const pair = await manager.createTokenPair("ada");
      const other = await managerOf({ audience: "them" }).createTokenPair("ada");
      await use(async ({ get }, ask) => {
        refused(await get("/me", bearer(pair.refresh_token)), 401, "wrong_token_type");
        refused(await ask(pair.access_token), 401, "wrong_token_type");
        refused(await ask(other.refresh_token), 401, "token_audience");
        refused(await get("/me", bearer(other.access_token)), 401, "token_audience");
        refused(await ask(String(claimsOf(pair.refresh_token).jti)), 401, "token_invalid");
      });
    });

    it("refuses before it touches the session", async () => {
      let here = false;
      const { manager, use } = make({ grace: 0, loaders: { userLookup: () => (here ? { name: "Ada" } : null) } });
      const pair = await manager.createTokenPair("ada");
      await use(async (_client, ask) => {
        refused(await ask(pair.refresh_token), 401, "user_not_found");
        here = true;
        expect(claimsOf(pairOf(await ask(pair.refresh_token)).refresh_token)).toMatchObject({ gen: 1 });
      });
    });

    it("keeps the line of a handler that calls it by hand", async () => {
      const manager = managerOf();
      const route = act("/own", async (tools) => {
        const { refresh_token } = (await tools.body()) as { refresh_token: string };
        return tools.sendTokens(await manager.refreshTokenPair(refresh_token, { userAgent: "a page" }));
      });
      const pair = await manager.createTokenPair("ada");
      await serving(harness, manager, [route], {}, async ({ postJson }) => {
        const next = pairOf(await postJson("/own", JSON.stringify(pair)));
        expect(claimsOf(next.refresh_token)).toMatchObject({ gen: 1, sid: claimsOf(pair.refresh_token).sid });
        expect((await manager.listSessions("ada")).map(({ userAgent }) => userAgent)).toEqual(["a page"]);
      });
    });
  });
}
