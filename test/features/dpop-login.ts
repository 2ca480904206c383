import { describe, expect, it } from "vitest";
import { act, passed, told, who } from "../support/answers.ts";
import { codeOf } from "../support/asking.ts";
import { keyHolder, ORIGIN, type ProofOptions } from "../support/dpop.ts";
import { claimsOf } from "../support/forge.ts";
import type { AnyManager, Harness } from "../support/harness/types.ts";
import type { Answer } from "../support/http.ts";
import { readyRoutes } from "../support/ready.ts";
import { bearer, type Client, managerOf, serving } from "../support/serve.ts";

type Line = readonly [string, string];
interface Pair {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
}

const PATH = "/auth/refresh";
const managerWith = (dpop: object | boolean = true, options: object = {}): AnyManager =>
  managerOf({ publicOrigin: ORIGIN, dpop, tokenLocation: ["headers", "cookies"], ...options });
const coded = (answer: Answer): unknown[] => [answer.status, (answer.json() as { code?: string }).code];
const pairOf = (answer: Answer): Pair => {
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining("refresh_token")]);
  return answer.json() as Pair;
};

/** Logins whose tokens are bound to a key, and their renewal. */
export function feature(harness: Harness): void {
  const ada = keyHolder();
  const eve = keyHolder("EdDSA");

  const inHouse = (manager: AnyManager, use: (client: Client) => Promise<void>): Promise<void> => {
    const login = act("/login", async (tools) =>
      tools.sendTokens(await manager.createTokenPair("ada", { jkt: await tools.verifyDpopProof() }), { via: "body" }),
    );
    const byHand = act("/by-hand", async (tools) => {
      const { refresh_token } = (await tools.body()) as Pair;
      const jkt = await tools.verifyDpopProof();
      return tools.sendTokens(await manager.refreshTokenPair(refresh_token, { jkt }), { via: "body" });
    });
    return serving(harness, manager, [login, byHand, who()], readyRoutes(manager), use);
  };
  const login = async ({ get }: Client, by = ada): Promise<Pair> =>
    pairOf(await get("/login", ["DPoP", by.proof("GET", "/login")]));
  const refresh = ({ send }: Client, { refresh_token }: Pair, by = ada, options?: ProofOptions): Promise<Answer> =>
    send({ method: "POST", path: PATH, headers: by.lines(refresh_token, "POST", PATH, options) });

  describe("DPoP logins", () => {
    it("bind both tokens to the key of the proof that came, and only then", async () => {
      await inHouse(managerWith(), async (client) => {
        const pair = await login(client);
        expect(pair.token_type).toBe("DPoP");
        for (const token of [pair.access_token, pair.refresh_token])
          expect(claimsOf(token).cnf).toEqual({ jkt: ada.jkt });
        passed(await client.get("/me", ...ada.lines(pair.access_token, "GET", "/me")));
        const free = pairOf(await client.get("/login"));
        expect([free.token_type, claimsOf(free.access_token).cnf]).toEqual(["Bearer", undefined]);
        passed(await client.get("/me", bearer(free.access_token)));
        const used: Line = ["DPoP", ada.proof("GET", "/login")];
        pairOf(await client.get("/login", used));
        for (const [line, code] of [
          [used, "dpop_proof_used"],
          [["DPoP", ada.proof("POST", "/login")], "dpop_proof_invalid"],
          [["DPoP", ada.proof("GET", "/me")], "dpop_proof_invalid"],
          [["DPoP", ""], "dpop_proof_invalid"],
        ] as const)
          expect(coded(await client.get("/login", line))).toEqual([401, code]);
      });
      await inHouse(managerWith({ required: true }), async (client) => {
        const answer = await client.get("/login");
        expect(coded(answer)).toEqual([401, "dpop_proof_missing"]);
        expect(answer.header("www-authenticate")).toEqual(['DPoP error="invalid_dpop_proof", algs="ES256 EdDSA"']);
        expect((await login(client)).token_type).toBe("DPoP");
      });
    });

    it("are told the nonce to use", async () => {
      await inHouse(managerWith({ nonces: true }), async (client) => {
        const answer = await client.get("/login", ["DPoP", ada.proof("GET", "/login")]);
        expect(coded(answer)).toEqual([401, "dpop_nonce_required"]);
        const nonce = answer.header("dpop-nonce")[0] ?? "";
        const pair = pairOf(await client.get("/login", ["DPoP", ada.proof("GET", "/login", { nonce })]));
        expect(coded(await refresh(client, pair))).toEqual([401, "dpop_nonce_required"]);
        pairOf(await refresh(client, pair, ada, { nonce }));
      });
    });

    it("are renewed by the same key, and a wrong proof touches nothing", async () => {
      const manager = managerWith(true, { grace: 0, tokenLocation: ["headers"] });
      await inHouse(manager, async (client) => {
        const { send, postJson } = client;
        const first = await login(client);
        const scheme: Line = ["Authorization", `DPoP ${first.refresh_token}`];
        const ask = (...headers: Line[]) => send({ method: "POST", path: PATH, headers });
        const proof = (): Line => ["DPoP", ada.proof("POST", PATH)];
        const spent = proof();
        const json = JSON.stringify({ refresh_token: first.refresh_token });
        expect(coded(await ask(bearer("x"), spent))).toEqual([401, "token_invalid"]);
        for (const [answer, code] of [
          [await ask(scheme), "dpop_proof_missing"],
          [await postJson(PATH, json), "dpop_proof_missing"],
          [await ask(bearer(first.refresh_token), proof()), "token_bound"],
          [await ask(scheme, ["DPoP", eve.proof("POST", PATH)]), "dpop_proof_invalid"],
          [await postJson(PATH, json, ["DPoP", eve.proof("POST", PATH)]), "dpop_proof_invalid"],
          [await ask(scheme, ["DPoP", ada.proof("GET", PATH)]), "dpop_proof_invalid"],
          [await ask(scheme, ["DPoP", ada.proof("POST", "/me")]), "dpop_proof_invalid"],
          [await ask(scheme, proof(), proof()), "dpop_proof_invalid"],
          [await ask(["Authorization", `DPoP ${first.access_token}`], proof()), "wrong_token_type"],
        ] as const)
          expect(coded(answer)).toEqual([401, code]);
        expect(claimsOf(first.refresh_token).gen).toBe(0);
        const second = pairOf(await ask(scheme, spent));
        expect([second.token_type, claimsOf(second.refresh_token).gen]).toEqual(["DPoP", 1]);
        for (const token of [second.access_token, second.refresh_token])
          expect(claimsOf(token).cnf).toEqual({ jkt: ada.jkt });
        passed(await client.get("/me", ...ada.lines(second.access_token, "GET", "/me")));
        const third = pairOf(await postJson(PATH, JSON.stringify({ refresh_token: second.refresh_token }), proof()));
        const line: Line = ["DPoP", ada.proof("POST", "/by-hand")];
        const fourth = pairOf(await postJson("/by-hand", JSON.stringify(third), line));
        expect([fourth.token_type, claimsOf(fourth.refresh_token).gen]).toEqual(["DPoP", 3]);
        expect(coded(await postJson("/by-hand", JSON.stringify(fourth)))).toEqual([401, "dpop_proof_missing"]);
        expect(coded(await ask(scheme, proof()))).toEqual([401, "token_reused"]);
        expect(coded(await refresh(client, fourth))).toEqual([401, "session_ended"]);
      });
    });

    it("end where another key comes with a token that was spent, also inside the grace", async () => {
      await inHouse(managerWith(true, { grace: 10 }), async (client) => {
        const first = await login(client);
        const second = pairOf(await refresh(client, first));
        // The honest client again, then a thief without a key: nothing happens.
        const again = pairOf(await refresh(client, first));
        expect(claimsOf(again.refresh_token)).toEqual(claimsOf(second.refresh_token));
        const bare: Line = ["Authorization", `DPoP ${first.refresh_token}`];
        expect(coded(await client.send({ method: "POST", path: PATH, headers: [bare] }))).toEqual([
          401,
          "dpop_proof_missing",
        ]);
        expect(coded(await refresh(client, second, eve))).toEqual([401, "dpop_proof_invalid"]);
        passed(await client.get("/me", ...ada.lines(second.access_token, "GET", "/me")));
        expect(coded(await refresh(client, first, eve))).toEqual([401, "token_reused"]);
        for (const pair of [first, second, again]) {
          expect(coded(await refresh(client, pair))).toEqual([401, "session_ended"]);
          const answer = await client.get("/me", ...ada.lines(pair.access_token, "GET", "/me"));
          expect(coded(answer)).toEqual([401, "token_revoked"]);
        }
        expect((await login(client)).token_type).toBe("DPoP");
      });
    });

    it("leave a pair that is bound to nothing as it is", async () => {
      await inHouse(managerWith(true, { grace: 10 }), async (client) => {
        const free = pairOf(await client.get("/login"));
        expect(coded(await refresh(client, free))).toEqual([401, "token_unbound"]);
        const next = pairOf(await client.send({ method: "POST", path: PATH, headers: [bearer(free.refresh_token)] }));
        expect([next.token_type, claimsOf(next.access_token).cnf]).toEqual(["Bearer", undefined]);
        const lines: Line[] = [bearer(free.refresh_token), ["DPoP", ada.proof("POST", PATH)]];
        expect(coded(await client.send({ method: "POST", path: PATH, headers: lines }))).toEqual([
          401,
          "token_unbound",
        ]);
        pairOf(await client.send({ method: "POST", path: PATH, headers: [bearer(next.refresh_token)] }));
      });
      const loose = managerWith(true, { clock: Date.now });
      const { refresh_token } = await loose.createTokenPair("ada");
      const strict = managerWith({ required: true }, { store: loose.config.store });
      await expect(strict.refreshTokenPair(refresh_token)).rejects.toMatchObject({ code: "token_unbound" });
    });

    it("are ended by either token, and bind what else is made for them", async () => {
      const manager = managerWith();
      await inHouse(manager, async (client) => {
        const pair = await login(client);
        const sessionId = String(claimsOf(pair.access_token).sid);
        const more = await manager.createAccessToken("ada", { session: { sessionId }, jkt: eve.jkt });
        passed(await client.get("/me", ...ada.lines(more, "GET", "/me")));
        expect(coded(await client.get("/me", ...eve.lines(more, "GET", "/me")))).toEqual([401, "dpop_proof_invalid"]);
        const headers = ada.lines(pair.access_token, "POST", "/auth/logout");
        expect((await client.send({ method: "POST", path: "/auth/logout", headers })).status).toBe(204);
        expect(coded(await client.get("/me", ...ada.lines(more, "GET", "/me")))).toEqual([401, "token_revoked"]);
        const other = await login(client);
        const list = await client.get("/auth/sessions", ...ada.lines(other.access_token, "GET", "/auth/sessions"));
        expect([list.status, list.text]).toEqual([200, expect.stringContaining(`"current":true`)]);
        expect(coded(await client.get("/auth/sessions", bearer(other.access_token)))).toEqual([401, "token_bound"]);
      });
    });

    it("are nothing without the option, or with something that is no key", async () => {
      const off = managerOf();
      const route = act(
        "/proof",
        told(async (tools) => ({ json: await tools.verifyDpopProof() })),
      );
      await serving(harness, off, [route], {}, async ({ get }) => {
        expect((await get("/proof")).json()).toMatchObject({ code: "dpop_off" });
      });
      const { refresh_token } = await off.createTokenPair("ada", { jkt: ada.jkt });
      expect(await codeOf(() => off.refreshTokenPair(refresh_token))).toBe("token_bound");
      for (const jkt of ["", "x", `${ada.jkt}=`, 7 as never, null as never]) {
        expect(await codeOf(() => off.createTokenPair("ada", { jkt }))).toBe("claims_invalid");
        expect(await codeOf(() => off.createAccessToken("ada", { jkt }))).toBe("claims_invalid");
      }
    });
  });
}
