import { expect, it } from "vitest";
import { passed } from "../support/answers.ts";
import { keyHolder, ORIGIN } from "../support/dpop.ts";
import { claimsOf } from "../support/forge.ts";
import type { Answer } from "../support/http.ts";
import { type House, type Pair, pairOf, withHouse, withTwoHouses } from "../support/store-house.ts";
import type { StoreKit, Trouble } from "../support/store-kits.ts";

const AT_ONCE = Array.from({ length: 50 }, (_, at) => at);
const OPTIONS = { publicOrigin: ORIGIN, dpop: true, grace: 10 };
const PATH = "/auth/refresh";
const coded = (answer: Answer): unknown[] => [answer.status, (answer.json() as { code?: string }).code];

/** Proofs are taken once in all processes, and whoever comes with another key ends the session. */
export function dpopFeatures(kit: StoreKit): void {
  const ada = keyHolder();
  const eve = keyHolder("EdDSA");

  it("a proof counts once, whichever process it reaches first", async () => {
    await withTwoHouses(kit, OPTIONS, async (one, two, clock) => {
      const { access_token: token } = await one.manager.createTokenPair("ada", { jkt: ada.jkt });
      const lines = () => ada.lines(token, "GET", "/me", { now: clock() / 1000 });
      const twice = lines();
      passed(await one.client.get("/me", ...twice));
      for (const { client } of [two, one])
        expect(coded(await client.get("/me", ...twice))).toEqual([401, "dpop_proof_used"]);
      for (let round = 0; round < 3; round++) {
        const same = lines();
        const asked = AT_ONCE.map((at) => (at % 2 ? one : two).client.get("/me", ...same));
        const answers = (await Promise.all(asked)).map(coded);
        expect(answers.filter(([status]) => status === 200).length).toBe(1);
        for (const [status, code] of answers)
          if (status !== 200) expect([status, code]).toEqual([401, "dpop_proof_used"]);
      }
      // As long as it is fresh, and after a purge.
      clock.advance(59);
      await two.manager.purge();
      expect(coded(await two.client.get("/me", ...twice))).toEqual([401, "dpop_proof_used"]);
      clock.advance(2);
      expect(coded(await two.client.get("/me", ...twice))).toEqual([401, "dpop_proof_invalid"]);
      passed(await two.client.get("/me", ...lines()));
    });
  });

  it("nonces are known in every process", async () => {
    await withTwoHouses(kit, { ...OPTIONS, dpop: { nonces: true } }, async (one, two, clock) => {
      const { access_token: token } = await one.manager.createTokenPair("ada", { jkt: ada.jkt });
      const ask = ({ client }: House, nonce?: string) =>
        client.get("/me", ...ada.lines(token, "GET", "/me", { nonce, now: clock() / 1000 }));
      const answer = await ask(one);
      expect(coded(answer)).toEqual([401, "dpop_nonce_required"]);
      const [nonce] = answer.header("dpop-nonce");
      for (const house of [two, one]) passed(await ask(house, nonce));
    });
  });

  it("a spent refresh token with another key ends the session, a live one does not", async () => {
    await withTwoHouses(kit, OPTIONS, async (one, two, clock) => {
      const refresh = ({ client }: House, { refresh_token }: Pair, by = ada) =>
        client.send({
          method: "POST",
          path: PATH,
          headers: by.lines(refresh_token, "POST", PATH, { now: clock() / 1000 }),
        });
      const first = await one.manager.createTokenPair("ada", { jkt: ada.jkt });
      expect(coded(await two.refresh(first))).toEqual([401, "token_bound"]);
      expect(coded(await two.client.postJson(PATH, JSON.stringify(first)))).toEqual([401, "dpop_proof_missing"]);
      expect(coded(await two.client.get("/me", ...eve.lines(first.access_token, "GET", "/me")))[0]).toBe(401);
      expect(coded(await refresh(two, first, eve))).toEqual([401, "dpop_proof_invalid"]);
      const second = pairOf(await refresh(two, first));
      const again = pairOf(await refresh(one, first));
      expect(claimsOf(again.refresh_token)).toEqual(claimsOf(second.refresh_token));
      expect([claimsOf(again.refresh_token).cnf, claimsOf(second.access_token).cnf]).toEqual([
        { jkt: ada.jkt },
        { jkt: ada.jkt },
      ]);
      expect(coded(await refresh(one, first, eve))).toEqual([401, "token_reused"]);
      for (const house of [one, two]) {
        for (const pair of [first, second]) expect(coded(await refresh(house, pair))).toEqual([401, "session_ended"]);
        const lines = ada.lines(second.access_token, "GET", "/me", { now: clock() / 1000 });
        expect(coded(await house.client.get("/me", ...lines))).toEqual([401, "token_revoked"]);
      }
    });
  });

  it.each(kit.troubles)("nobody passes while the store is %s", async (what) => {
    await withHouse(kit, { ...OPTIONS, storeTimeout: 1, onStoreError: "allow" }, async (house, clock, given) => {
      const token = await house.manager.createAccessToken("ada", { jkt: ada.jkt });
      const ask = () => house.client.get("/me", ...ada.lines(token, "GET", "/me", { now: clock() / 1000 }));
      passed(await ask());
      const trouble = given.troubles[what] as Trouble;
      await trouble.begin();
      try {
        const [status, code] = coded(await ask());
        // A disk that is full may still have room for this one.
        if (status !== 200 || trouble.leaves !== "some") expect([status, code]).toEqual([503, "store_unavailable"]);
      } finally {
        await trouble.end();
      }
      if (trouble.forgets) return;
      await expect.poll(() => ask().then(({ status }) => status), { timeout: 8_000 }).toBe(200);
    });
  });
}
