import { describe, expect, it } from "vitest";
import { cookie, passed, who } from "../support/answers.ts";
import { keyHolder, ORIGIN } from "../support/dpop.ts";
import { claimsOf, forge, goodClaims } from "../support/forge.ts";
import type { AnyManager, Harness, TestRoute } from "../support/harness/types.ts";
import { type Answer, sendRaw } from "../support/http.ts";
import { bearer, type Client, JSON_TYPE, managerOf, serving } from "../support/serve.ts";
import { hanging } from "../support/stores.ts";

type Line = readonly [string, string];

const ALGS = 'algs="ES256 EdDSA"';
const AT_ONCE = Array.from({ length: 50 }, (_, at) => at);
const ROUTES = [who(), who({}, "/other"), who({ fresh: true }, "/fresh"), who({ optional: true }, "/optional")];

/** A manager whose clients may bind their tokens to a key. */
const managerWith = (dpop: object | boolean = true, options: object = {}): AnyManager =>
  managerOf({ publicOrigin: ORIGIN, dpop, ...options });

/** Expects the answer to a bound token that may not pass: 401, and what its holder must do. */
function unproved(answer: Answer, code: string, error = "invalid_dpop_proof"): void {
  expect([answer.status, answer.json()]).toEqual([401, { code, msg: expect.any(String) }]);
  expect(answer.header("www-authenticate")).toEqual([`DPoP error="${error}", ${ALGS}`]);
  expect([answer.header("cache-control"), answer.setCookies]).toEqual([["no-store"], []]);
}

/** Tokens that are bound to a key of their client (RFC 9449), and what their thief can do with them: nothing. */
export function feature(harness: Harness): void {
  const ada = keyHolder();
  const eve = keyHolder("EdDSA");

  describe("DPoP", () => {
    it("lets a bound token pass with a new proof each time, and others as ever", async () => {
      const manager = managerWith();
      const { access_token: token } = await manager.createTokenPair("ada", { jkt: ada.jkt });
      const single = await manager.createAccessToken("eve", { jkt: eve.jkt });
      await serving(harness, manager, ROUTES, {}, async ({ get, send }) => {
        for (const method of ["GET", "POST", "DELETE"]) {
          passed(await send({ method, path: "/me?x=%20", headers: ada.lines(token, method, "/me") }));
        }
        const head = await send({ method: "HEAD", path: "/me", headers: ada.lines(token, "HEAD", "/me") });
        expect([head.status, head.text]).toEqual([200, ""]);
        passed(await get("/me", ...eve.lines(single, "GET", "/me")), "eve");
        const [, proof] = ada.lines(token, "GET", "/optional") as [Line, Line];
        passed(await get("/optional", ["authorization", `dpop  ${token}`], proof));
        passed(await get("/optional"), null);
        passed(await get("/me", bearer(await manager.createAccessToken("bob"))), "bob");
      });
    });

    it("goes by the whole path in nested routers", async () => {
      const manager = managerWith();
      const { access_token: token } = await manager.createTokenPair("ada", { jkt: ada.jkt });
      await serving(harness, manager, ROUTES, { prefix: "/api/v1" }, async ({ get }) => {
        passed(await get("/api/v1/me?q=1", ...ada.lines(token, "GET", "/api/v1/me")));
        unproved(await get("/api/v1/me", ...ada.lines(token, "GET", "/me")), "dpop_proof_invalid");
      });
    });

    it("spends a proof once for a request, however many guards that meets", async () => {
      const manager = managerWith();
      const { access_token: token } = await manager.createTokenPair("ada", { jkt: ada.jkt, fresh: true });
      const thrice: TestRoute = {
        ...who({}, "/thrice"),
        handler: async (tools) => ({
          json: [(await tools.verifyRequest({ fresh: true })).identity, await tools.verifyDpopProof()],
        }),
      };
      await serving(harness, manager, [thrice], { protect: {} }, async ({ get }) => {
        const lines = ada.lines(token, "GET", "/thrice");
        expect((await get("/thrice", ...lines)).json()).toEqual(["ada", ada.jkt]);
        unproved(await get("/thrice", ...lines), "dpop_proof_used");
      });
    });

    it("takes a proof once, of fifty at once, too", async () => {
      const manager = managerWith();
      const { access_token: token } = await manager.createTokenPair("ada", { jkt: ada.jkt });
      await serving(harness, manager, ROUTES, {}, async ({ get }) => {
        const lines = ada.lines(token, "GET", "/me");
        passed(await get("/me", ...lines));
        unproved(await get("/me", ...lines), "dpop_proof_used");
        const again = ada.lines(token, "GET", "/me");
        const answers = await Promise.all(AT_ONCE.map(() => get("/me", ...again)));
        const [good, ...others] = answers.sort((one, other) => one.status - other.status);
        passed(good as Answer);
        for (const answer of others) unproved(answer, "dpop_proof_used");
        // The same name under another key is another proof.
        const { access_token } = await manager.createTokenPair("eve", { jkt: eve.jkt });
        const claims = { jti: "the same" };
        passed(await get("/me", ...ada.lines(token, "GET", "/me", { claims })));
        passed(await get("/me", ...eve.lines(access_token, "GET", "/me", { claims })), "eve");
      });
    });

    it("takes a proof for its own request only", async () => {
      const manager = managerWith();
      const { access_token: token } = await manager.createTokenPair("ada", { jkt: ada.jkt });
      const { access_token: mine } = await manager.createTokenPair("eve", { jkt: eve.jkt });
      const { access_token: sister } = await manager.createTokenPair("ada", { jkt: ada.jkt });
      const scheme = (text: string): Line => ["Authorization", `DPoP ${text}`];
      const dpop = (text: string): Line => ["DPoP", text];
      await serving(harness, manager, ROUTES, {}, async ({ get, send }) => {
        const proof = ada.proof("GET", "/me", { token });
        unproved(await get("/other", scheme(token), dpop(proof)), "dpop_proof_invalid");
        unproved(
          await send({ method: "POST", path: "/me", headers: [scheme(token), dpop(proof)] }),
          "dpop_proof_invalid",
        );
        for (const other of [sister, mine])
          unproved(await get("/me", scheme(other), dpop(proof)), "dpop_proof_invalid");
        unproved(await get("/me", scheme(token), dpop(eve.proof("GET", "/me", { token }))), "dpop_proof_invalid");
        const stolen = eve.proof("GET", "/me", { token, header: { jwk: ada.jwk, alg: "ES256" } });
        unproved(await get("/me", scheme(token), dpop(stolen)), "dpop_proof_invalid");
        for (const bad of ["", "x", proof.slice(0, -1), token, `${proof}.`])
          unproved(await get("/me", scheme(token), dpop(bad)), "dpop_proof_invalid");
        unproved(await get("/me", scheme(token)), "dpop_proof_missing");
        // A host that the client made up is not the one that proofs are for.
        const elsewhere = ada.proof("GET", "/me", { token, claims: { htu: "https://evil.example/me" } });
        const hosts: Line[] = [
          ["Host", "evil.example"],
          ["X-Forwarded-Host", "evil.example"],
          ["X-Forwarded-Proto", "https"],
        ];
        unproved(await get("/me", ...hosts, scheme(token), dpop(elsewhere)), "dpop_proof_invalid");
        passed(await get("/me", ...hosts, scheme(token), dpop(proof)));
      });
    });

    it("refuses a bound token without the scheme, wherever it stands, and others with it", async () => {
      const places = ["headers", "cookies", "query_string", "json"];
      const bound = forge(goodClaims({ cnf: { jkt: ada.jkt }, csrf: "a" }));
      const ways = (token: string, { get, send }: Client, proof: Line): Promise<Answer>[] => [
        get("/me", bearer(token), proof),
        get("/me", cookie(`__Host-access_token=${token}`), proof),
        get(`/me?jwt=${token}`, proof),
        send({
          method: "POST",
          path: "/me",
          headers: [JSON_TYPE, proof],
          body: JSON.stringify({ access_token: token }),
        }),
      ];
      await serving(harness, managerWith(true, { tokenLocation: places }), ROUTES, {}, async (client) => {
        const [scheme, proof] = ada.lines(bound, "GET", "/me") as [Line, Line];
        for (const answer of await Promise.all(ways(bound, client, proof))) {
          expect([answer.status, answer.text]).toEqual([401, expect.stringContaining("token_bound")]);
          expect(answer.header("www-authenticate")).toEqual([`DPoP error="invalid_token", ${ALGS}`]);
        }
        for (const cnf of [{}, null, { "x5t#S256": "a" }]) {
          const other = forge(goodClaims({ cnf }));
          unproved(await client.get("/me", bearer(other)), "token_bound", "invalid_token");
          unproved(await client.get("/me", ...ada.lines(other, "GET", "/me")), "dpop_proof_invalid");
        }
        const free = forge(goodClaims());
        unproved(await client.get("/me", ...ada.lines(free, "GET", "/me")), "token_unbound", "invalid_token");
        passed(await client.get("/me", scheme, proof));
      });
      // Where nobody has heard of proofs a bound token is no other, and the scheme is unknown.
      await serving(harness, managerOf({ tokenLocation: places }), ROUTES, {}, async (client) => {
        const proof: Line = ["DPoP", ada.proof("GET", "/me", { token: bound })];
        for (const answer of await Promise.all(ways(bound, client, proof))) {
          expect([answer.status, answer.text]).toEqual([401, expect.stringContaining("token_bound")]);
          expect(answer.header("www-authenticate")).toEqual(['Bearer error="invalid_token"']);
        }
        const answer = await client.get("/me", ...ada.lines(bound, "GET", "/me"));
        expect([answer.status, answer.text]).toEqual([401, expect.stringContaining("token_missing")]);
      });
    });

    it("takes one proof and one token, however two are sent", async () => {
      const manager = managerWith();
      const { access_token: token } = await manager.createTokenPair("ada", { jkt: ada.jkt });
      await serving(harness, manager, ROUTES, {}, async ({ url, get }) => {
        const proof = () => ada.proof("GET", "/me", { token });
        const same = proof();
        const scheme = `Authorization: DPoP ${token}`;
        for (const lines of [
          [scheme, `DPoP: ${proof()}`, `DPoP: ${proof()}`],
          [scheme, `DPoP: ${same}`, `DPoP: ${same}`],
          [scheme, `DPoP: ${proof()}`, "DPoP: x"],
          [scheme, "dpop: x", `DPOP: ${proof()}`],
          [scheme, `DPoP: ${proof()}, ${proof()}`],
          [scheme, `DPoP: ${proof()},`],
          [scheme, scheme, `DPoP: ${proof()}`],
          [scheme, `Authorization: Bearer ${token}`, `DPoP: ${proof()}`],
          [`${scheme}, DPoP ${token}`, `DPoP: ${proof()}`],
        ]) {
          const head = lines.map((line) => `${line}\r\n`).join("");
          const text = await sendRaw(url, `GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}\r\n`);
          expect([lines.length, text.split("\r\n")[0]]).toEqual([lines.length, expect.stringMatching(/ 40[01] /)]);
        }
        passed(await get("/me", ...ada.lines(token, "GET", "/me")));
      });
    });

    it("can be required, and says so", async () => {
      const free = forge(goodClaims());
      const challenges = async (manager: AnyManager, ...lines: Line[]) => {
        let found: readonly string[] = [];
        await serving(harness, manager, ROUTES, {}, async ({ get }) => {
          const answer = await get("/me", ...lines);
          expect(answer.status).toBe(401);
          found = answer
            .header("www-authenticate")
            .join(", ")
            .split(/, (?=DPoP)/);
        });
        return found;
      };
      expect(await challenges(managerWith())).toEqual(["Bearer", `DPoP ${ALGS}`]);
      expect(await challenges(managerWith(), bearer("x"))).toEqual(['Bearer error="invalid_token"', `DPoP ${ALGS}`]);
      expect(await challenges(managerWith(), ["Authorization", "DPoP x"])).toEqual([
        `DPoP error="invalid_token", ${ALGS}`,
      ]);
      const strict = () => managerWith({ required: true });
      expect(await challenges(strict())).toEqual([`DPoP ${ALGS}`]);
      expect(await challenges(strict(), bearer(free))).toEqual([`DPoP error="invalid_token", ${ALGS}`]);
      await serving(harness, strict(), ROUTES, {}, async ({ get }) => {
        unproved(await get("/me", bearer(free)), "token_unbound", "invalid_token");
        passed(await get("/optional"), null);
      });
    });

    it("comes after type and exp, and before freshness", async () => {
      const manager = managerWith();
      const { access_token: token, refresh_token } = await manager.createTokenPair("ada", { jkt: ada.jkt });
      const old = forge(goodClaims({ cnf: { jkt: ada.jkt }, iat: 1, exp: 2 }));
      await serving(harness, manager, ROUTES, {}, async ({ get }) => {
        const coded = async (path: string, sent: string, ...lines: Line[]) =>
          (await get(path, ["Authorization", `DPoP ${sent}`], ...lines)).json();
        expect(await coded("/fresh", old)).toMatchObject({ code: "token_expired" });
        expect(await coded("/fresh", refresh_token)).toMatchObject({ code: "wrong_token_type" });
        expect(await coded("/fresh", token)).toMatchObject({ code: "dpop_proof_missing" });
        const proof: Line = ["DPoP", ada.proof("GET", "/fresh", { token })];
        expect(await coded("/fresh", token, proof)).toMatchObject({ code: "token_not_fresh" });
        await manager.revokeSession(String(claimsOf(token).sid));
        expect(await coded("/me", token)).toMatchObject({ code: "dpop_proof_missing" });
        const last: Line = ["DPoP", ada.proof("GET", "/me", { token })];
        expect(await coded("/me", token, last)).toMatchObject({ code: "token_revoked" });
      });
    });

    it("asks for nonces that every process knows, for a while", async () => {
      const start = Date.now();
      let now = start;
      const secret = "a secret for nonces, at least 32 bytes";
      const options = { clock: () => now };
      const manager = managerWith({ nonces: { secret } }, options);
      const second = managerWith({ nonces: { secret } }, options);
      const stranger = managerWith({ nonces: true }, options);
      const token = await manager.createAccessToken("ada", { jkt: ada.jkt, expires: "1h" });
      const asking = (made: AnyManager, nonce: string | undefined): Promise<Answer> => {
        let answer: Answer | undefined;
        const lines = ada.lines(token, "GET", "/me", { nonce, now: now / 1000 });
        return serving(harness, made, ROUTES, {}, async ({ get }) => {
          answer = await get("/me", ...lines);
        }).then(() => answer as Answer);
      };
      const told = (answer: Answer): string => {
        unproved(answer, "dpop_nonce_required", "use_dpop_nonce");
        expect(answer.header("dpop-nonce").length).toBe(1);
        return answer.header("dpop-nonce")[0] as string;
      };
      const nonce = told(await asking(manager, undefined));
      expect(nonce.length).toBeGreaterThan(20);
      const answer = await asking(second, nonce);
      passed(answer);
      expect(answer.header("dpop-nonce")).toEqual([]);
      told(await asking(manager, "guessed"));
      expect(told(await asking(stranger, nonce))).not.toBe(nonce);
      now = start + 120_000;
      const later = await asking(second, nonce);
      passed(later);
      const next = later.header("dpop-nonce")[0] as string;
      expect([next === nonce, later.header("cache-control")]).toEqual([false, ["no-store"]]);
      passed(await asking(manager, next));
      now = start + 240_000;
      expect(told(await asking(manager, nonce))).not.toBe(next);
      passed(await asking(manager, next));
    });

    it("lets nobody in while it cannot be told whether a proof is new", async () => {
      for (const spend of [hanging, () => Promise.reject(new Error("down")), () => "yes", () => undefined]) {
        const store = { ...managerOf().config.store, spend };
        const manager = managerWith(true, { store, onStoreError: "allow", storeTimeout: 0.05 });
        const token = await manager.createAccessToken("ada", { jkt: ada.jkt });
        await serving(harness, manager, ROUTES, {}, async ({ get }) => {
          const answer = await get("/me", ...ada.lines(token, "GET", "/me"));
          expect([answer.status, answer.json()]).toMatchObject([503, { code: "store_unavailable" }]);
          expect(answer.header("retry-after")).toEqual(["1"]);
          unproved(await get("/me", bearer(token)), "token_bound", "invalid_token");
        });
      }
    });
  });
}
