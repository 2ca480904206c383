import { describe, expect, it } from "vitest";
import { cookie, refused, who } from "../support/answers.ts";
import { forge, goodClaims, seconds, without } from "../support/forge.ts";
import type { AnyManager, Harness } from "../support/harness/types.ts";
import type { Answer } from "../support/http.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";
import { downStore } from "../support/stores.ts";

type Loaders = Record<string, unknown>;
type Ask = (path: string, ...headers: (readonly [string, string])[]) => Promise<Answer>;

const old = () => forge(goodClaims({ iat: seconds() - 900, exp: seconds() - 60 }));
const OTHERS = "another-secret-of-at-least-32-bytes!";

/** Every refusal that a guard can give: its code, status and loader, and a request that causes it. */
const REFUSALS: readonly [code: string, status: number, loader: string, cause: (ask: Ask) => Promise<Answer>][] = [
  ["token_missing", 401, "unauthorized", (ask) => ask("/me")],
  ["invalid_request", 400, "invalidToken", (ask) => ask("/me", ["Authorization", "Bearer a b"])],
  ["token_invalid", 401, "invalidToken", (ask) => ask("/me", bearer("x"))],
  ["token_invalid", 401, "invalidToken", (ask) => ask("/me", bearer(forge(goodClaims(), undefined, OTHERS)))],
  ["token_not_yet_valid", 401, "invalidToken", (ask) => ask("/me", bearer(forge(goodClaims({ nbf: seconds() + 60 }))))],
  ["token_issuer", 401, "invalidToken", (ask) => ask("/me", bearer(forge(goodClaims({ iss: "them", aud: "we" }))))],
  ["token_audience", 401, "invalidToken", (ask) => ask("/me", bearer(forge(goodClaims({ iss: "us", aud: "they" }))))],
  ["token_claim", 401, "invalidToken", (ask) => ask("/me", bearer(forge({ ...without("sub"), iss: "us", aud: "we" })))],
  ["wrong_token_type", 401, "invalidToken", (ask) => ask("/refresh", bearer(ours()))],
  ["ambiguous_cookies", 401, "invalidToken", (ask) => ask("/me", cookie(...twins()))],
  ["token_expired", 401, "expiredToken", (ask) => ask("/me", bearer(ours({ iat: 1, exp: 2 })))],
  ["token_not_fresh", 401, "needsFreshToken", (ask) => ask("/fresh", bearer(ours()))],
  ["token_revoked", 401, "revokedToken", (ask) => ask("/me", bearer(ours({ jti: "listed" })))],
  ["csrf_missing", 403, "", (ask) => ask("POST /me", cookie(`__Host-access_token=${ours()}`))],
  ["csrf_mismatch", 403, "", (ask) => ask("POST /me", cookie(`__Host-access_token=${ours({ csrf: "a" })}`), csrf)],
  ["csrf_missing_claim", 403, "", (ask) => ask("POST /me", cookie(`__Host-access_token=${ours()}`), csrf)],
  ["csrf_origin", 403, "", (ask) => ask("POST /me", cookie(`__Host-access_token=${ours()}`), ["Origin", "null"])],
  ["invalid_claims", 401, "tokenVerificationFailed", (ask) => ask("/me", bearer(ours({ bad: true })))],
  ["user_not_found", 401, "userLookupError", (ask) => ask("/me", bearer(ours({ sub: "gone" })))],
  ["insufficient_role", 403, "", (ask) => ask("/role", bearer(ours()))],
  ["insufficient_scope", 403, "", (ask) => ask("/scope", bearer(ours()))],
  ["forbidden", 403, "", (ask) => ask("/forbidden", bearer(ours()))],
];

const csrf = ["X-CSRF-TOKEN", "b"] as const;
const ours = (claims: object = {}) => forge(goodClaims({ iss: "us", aud: "we", ...claims }));
const twins = () => ["a", "b"].map((jti) => `__Host-access_token=${ours({ jti })}`);

const ROUTES = [
  who(),
  who({ refresh: true }, "/refresh"),
  who({ fresh: true }, "/fresh"),
  who({ roles: "admin" }, "/role"),
  who({ scopes: "write" }, "/scope"),
  who({ verify: () => false }, "/forbidden"),
];

function manager(loaders: Loaders = {}, options: Record<string, unknown> = {}): AnyManager {
  return managerOf({
    audience: "we",
    issuer: "us",
    tokenLocation: ["headers", "cookies"],
    ...options,
    loaders: {
      tokenInBlocklist: (_: unknown, { jti }: { jti: string }) => jti === "listed",
      tokenVerification: (_: unknown, { bad }: { bad?: boolean }) => !bad,
      userLookup: (_: unknown, { sub }: { sub: string }) => (sub === "gone" ? null : sub),
      ...loaders,
    },
  });
}

/** What a refused request is answered. */
export function feature(harness: Harness): void {
  const causing = (made: AnyManager, use: (ask: Ask) => Promise<void>) =>
    serving(harness, made, ROUTES, {}, ({ send }) =>
      use((path, ...headers) => {
        const [first, rest] = path.split(" ") as [string, string | undefined];
        return send(rest ? { method: first, path: rest, headers } : { path: first, headers });
      }),
    );

  describe("errors", () => {
    it("have one form, with code, sentence and challenge", async () => {
      await causing(manager(), async (ask) => {
        for (const [code, status, , cause] of REFUSALS) refused(await cause(ask), status, code);
        const challenge = async (headers: readonly (readonly [string, string])[]) =>
          (await ask("/me", ...headers)).header("www-authenticate");
        expect(await challenge([])).toEqual(["Bearer"]);
        expect(await challenge([bearer("x")])).toEqual(['Bearer error="invalid_token"']);
        expect(await challenge([bearer(old())])).toEqual(['Bearer error="invalid_token"']);
      });
    });

    it("name their sentence as errorMessageKey says", async () => {
      await causing(manager({}, { errorMessageKey: "message" }), async (ask) => {
        expect((await ask("/me")).json()).toEqual({ code: "token_missing", message: expect.any(String) });
      });
    });

    it("go to their own loader, with the token where it is known", async () => {
      const seen: [string, unknown[]][] = [];
      const names = [...new Set(REFUSALS.map(([, , name]) => name).filter((name) => name !== ""))];
      const loaders = Object.fromEntries(
        names.map((name) => [
          name,
          (...args: unknown[]) => {
            seen.push([name, args]);
            const reply = { status: 418, headers: [["x-loader", name]], body: { by: name } };
            return seen.length % 2 ? reply : Promise.resolve(reply);
          },
        ]),
      );
      await causing(manager(loaders), async (ask) => {
        for (const [code, status, loader, cause] of REFUSALS) {
          seen.length = 0;
          const answer = await cause(ask);
          if (loader === "") {
            expect([code, answer.status, seen]).toEqual([code, status, []]);
            continue;
          }
          expect([code, answer.status, answer.json(), answer.header("x-loader")]).toEqual([
            code,
            418,
            { by: loader },
            [loader],
          ]);
          const [[, args = []] = []] = seen;
          const tail = [
            expect.objectContaining({ code, status }),
            expect.objectContaining({ method: expect.any(String) }),
          ];
          const byReason = loader === "unauthorized" || loader === "invalidToken";
          const head = byReason
            ? [expect.any(String)]
            : [expect.objectContaining({ alg: "HS256" }), expect.objectContaining({ sub: expect.any(String) })];
          expect([code, args]).toEqual([code, [...head, ...tail]]);
        }
      });
    });

    it("go to loaders.error where no other loader took them", async () => {
      const seen: string[] = [];
      const error = (refusal: { code: string }, request: { url: string }) => {
        seen.push(`${refusal.code} ${typeof request.url}`);
        return { status: 499, headers: [], body: { own: refusal.code } };
      };
      const expiredToken = () => ({ status: 418, headers: [], body: {} });
      await causing(manager({ error, expiredToken }), async (ask) => {
        for (const [code, , loader, cause] of REFUSALS) {
          seen.length = 0;
          const answer = await cause(ask);
          if (loader === "expiredToken") expect([answer.status, seen]).toEqual([418, []]);
          else expect([answer.status, answer.json(), seen]).toEqual([499, { own: code }, [`${code} string`]]);
        }
      });
    });

    it("may be answered with a Response, or by bytes, or by nothing but a status", async () => {
      const html = () =>
        new Response("<p>log in</p>", {
          status: 402,
          headers: [
            ["Content-Type", "text/html"],
            ["Set-Cookie", "a=1"],
            ["Set-Cookie", "b=2"],
          ],
        });
      const bytes = () => ({
        status: 410,
        headers: [["content-type", "text/plain"]],
        body: new TextEncoder().encode("ü"),
      });
      await causing(
        manager({ unauthorized: html, invalidToken: bytes, expiredToken: () => ({ status: 410 }) }),
        async (ask) => {
          const page = await ask("/me");
          expect([page.status, page.text, page.setCookies]).toEqual([402, "<p>log in</p>", ["a=1", "b=2"]]);
          expect(page.header("content-type")[0]).toMatch(/^text\/html/);
          const plain = await ask("/me", bearer("x"));
          expect([plain.status, plain.text]).toEqual([410, "ü"]);
          const bare = await ask("/me", bearer(ours({ iat: 1, exp: 2 })));
          expect([bare.status, bare.text]).toEqual([410, ""]);
        },
      );
    });

    it("end in 500 where a loader fails or answers nonsense, and nobody gets in", async () => {
      const fail = () => {
        throw new Error("marker-secret");
      };
      for (const loader of [fail, async () => fail(), () => "x", () => ({}), async () => null]) {
        await causing(manager({ unauthorized: loader }), async (ask) => {
          const answer = await ask("/me");
          expect(answer.status).toBe(500);
          expect(answer.text).not.toMatch(/marker-secret|"id"/);
        });
      }
    });

    it("of the store say when to come back", async () => {
      await causing(manager({}, { store: downStore() }), async (ask) => {
        const answer = await ask("/me", bearer(ours()));
        refused(answer, 503, "store_unavailable");
        expect(Number(answer.header("retry-after")[0])).toBeGreaterThan(0);
      });
    });

    it("thrown by a handler are answered in the same form", async () => {
      const made = manager();
      const route = {
        ...who({ optional: true }, "/thrown"),
        handler: async (tools: { verifyRequest(options: object): Promise<unknown> }) => ({
          json: await tools.verifyRequest({ fresh: true }),
        }),
      };
      await serving(harness, made, [route], {}, async ({ get }) => {
        refused(await get("/thrown"), 401, "token_missing");
        refused(await get("/thrown", bearer(ours())), 401, "token_not_fresh");
        expect((await get("/thrown", bearer(ours({ fresh: true, auth_time: seconds() })))).status).toBe(200);
      });
    });
  });
}
