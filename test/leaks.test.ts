import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { act, cookie, who } from "./support/answers.ts";
import { ask } from "./support/asking.ts";
import { forge, goodClaims, requestOf, seconds } from "./support/forge.ts";
import { harnesses } from "./support/harness/index.ts";
import { ADAPTERS } from "./support/harness/types.ts";
import { bearer, managerOf, serving } from "./support/serve.ts";
import { downStore } from "./support/stores.ts";

const MARKER = "mArKeR0123456789";
const SECRET = `${MARKER}-secret-that-is-long-enough-for-all`;
const sign = (claims: Record<string, unknown> = {}, secret = SECRET) =>
  forge(goodClaims({ sub: MARKER, jti: MARKER, ...claims }), undefined, secret);

/** Tokens that are refused for every reason; all of their parts hold the marker in some form. */
const TOKENS: readonly string[] = [
  MARKER,
  `${MARKER}.${MARKER}.${MARKER}`,
  `"${MARKER}"`,
  sign({}, "another-secret-of-at-least-32-bytes!"),
  sign({ exp: seconds() - 60 }),
  sign({ nbf: seconds() + 600 }),
  sign({ iss: MARKER }),
  sign({ aud: MARKER }),
  sign({ sub: [MARKER] }),
  sign({ type: MARKER }),
  sign({ type: "refresh" }),
  sign({ fresh: MARKER }),
  sign({ roles: [MARKER], scope: MARKER }),
  sign({ bad: MARKER }),
  sign({ listed: MARKER }),
  sign(),
];
const GUARDS = [
  {},
  { refresh: true },
  { fresh: true },
  { roles: "x" },
  { scopes: "x" },
  { verify: () => false },
] as const;

const loaders = {
  tokenInBlocklist: (_: unknown, claims: Record<string, unknown>) => "listed" in claims,
  tokenVerification: (_: unknown, claims: Record<string, unknown>) => !("bad" in claims),
  userLookup: () => null,
};
const manager = (options: object = {}) =>
  managerOf({ secretKey: SECRET, tokenLocation: ["headers", "cookies", "query_string", "json"], loaders, ...options });

/** The forms in which a planted text may come out: itself, parts of tokens, base64 and percent-encoded. */
const needles = [
  MARKER,
  Buffer.from(MARKER).toString("base64").replace(/=+$/, "").slice(0, -1),
  encodeURIComponent(MARKER),
  ...TOKENS.flatMap((token) => token.split(".").filter((part) => part.length > 20 && !part.startsWith("eyJhbGci"))),
];
function clean(where: string, text: string): void {
  for (const needle of needles) expect([where, text.includes(needle) ? text : ""]).toEqual([where, ""]);
}
/** All that a log might make of an error. */
function shown(error: unknown): string {
  const { message, stack } = error as Error;
  return [message, stack, String(error), JSON.stringify(error), inspect(error), inspect(error, { depth: 9 })].join(
    "\n",
  );
}

describe("leaks", () => {
  const printed: string[] = [];
  beforeEach(() => {
    printed.length = 0;
    for (const name of ["log", "info", "warn", "error", "debug"] as const) {
      vi.spyOn(console, name).mockImplementation(
        (...args: unknown[]) => void printed.push(inspect(args, { depth: 9 })),
      );
    }
  });
  afterEach(() => {
    vi.restoreAllMocks();
    clean("console", printed.join("\n"));
  });

  it("no token in a refusal of a guard", async () => {
    for (const token of TOKENS) {
      for (const guard of GUARDS) {
        for (const wanted of [
          { headers: [bearer(token)] },
          { headers: [["authorization", `Bearer ${token} ${token}`]] },
          { headers: [["cookie", `__Host-access_token=${token}; __Host-refresh_token=${token}`]] },
          { url: `/?jwt=${token}` },
          { body: { kind: "json", value: { access_token: token, refresh_token: token } } },
          {
            method: "POST",
            headers: [
              ["cookie", `__Host-access_token=${token}`],
              ["x-csrf-token", MARKER],
            ],
          },
          {
            method: "POST",
            headers: [
              ["cookie", `__Host-access_token=${token}`],
              ["origin", `https://${MARKER}`],
            ],
          },
        ] as Parameters<typeof requestOf>[0][]) {
          const { status, text } = await ask(manager(), wanted, guard as object);
          expect(status).not.toBe(200);
          clean("reply", text);
          const thrown = await manager()
            .verifyRequest(requestOf(wanted), guard as object)
            .catch((error: unknown) => error);
          expect(thrown).toBeInstanceOf(Error);
          clean("error", shown(thrown));
        }
      }
    }
  });

  it("no token or secret in what the functions of a manager throw", async () => {
    const made = manager();
    const calls = TOKENS.flatMap((token) => [
      () => made.decodeToken(token, { csrf: MARKER }),
      () => made.getJti(token),
      () => made.getCsrfToken(token),
      () => made.getUnverifiedHeader(token),
      () => made.refreshTokenPair(token),
      () => manager({ store: downStore() }).revokeToken(token),
      () => manager({ store: null }).revokeToken(token),
      () => made.cookieHeaders("access", token, { maxAge: 1.5 }),
      () => made.cookieHeaders("access", `${token}${"x".repeat(5000)}`),
    ]);
    calls.push(
      () => made.createAccessToken({ [MARKER]: MARKER }),
      () => made.createAccessToken([MARKER]),
      () => made.createAccessToken("ada", { claims: { sub: MARKER } }),
      () => made.createAccessToken("ada", { headers: { alg: MARKER } }),
      () => made.createAccessToken("ada", { expires: MARKER }),
      () => made.createAccessToken("ada", { fresh: MARKER }),
      () => made.createAccessToken("ada", { session: { sessionId: MARKER } }),
      () => made.cookieHeaders("access", sign(), { domain: `${MARKER};` }),
    );
    let thrown = 0;
    for (const call of calls) {
      try {
        await call();
      } catch (error) {
        thrown++;
        clean("error", shown(error));
      }
    }
    expect(thrown).toBeGreaterThan(80);
  });

  it("no secret in the faults of a configuration", () => {
    const options: object[] = [
      { algorithm: "HS512" },
      { algorithm: "RS256", privateKey: SECRET },
      { algorithm: "RS256", privateKey: `-----BEGIN PRIVATE KEY-----\n${MARKER}\n-----END PRIVATE KEY-----` },
      { algorithm: "ES256", privateKey: { kty: "EC", crv: "P-256", x: MARKER, y: MARKER, d: MARKER } },
      { secretKey: MARKER },
      { secretKey: [MARKER] },
      { secretKey: { kty: "oct", k: MARKER } },
      { publicKey: { keys: MARKER } },
      { leeway: MARKER, compat: MARKER, store: MARKER, loaders: MARKER },
    ];
    for (const given of options) {
      try {
        manager(given);
        expect.unreachable();
      } catch (error) {
        clean("fault", shown(error));
      }
    }
    manager({ compat: "flask", warn: (line: string) => void printed.push(line) });
    manager({ compat: "flask", secretKey: MARKER, warn: undefined });
    expect(printed.length).toBeGreaterThan(1);
  });

  it.each(ADAPTERS)("nothing in what %s answers or prints", async (name) => {
    const made = manager();
    const thrower = act("/throws", async (tools) => {
      await made.decodeToken(tools.query.get("jwt") ?? "");
      return { json: null };
    });
    const routes = [...GUARDS.map((guard, i) => who(guard as object, `/g${i}`)), thrower];
    await serving(harnesses[name], made, routes, {}, async ({ send, get }) => {
      for (const token of TOKENS) {
        const wanted = GUARDS.flatMap((_, i) => [
          get(`/g${i}`, bearer(token)),
          get(`/g${i}?jwt=${encodeURIComponent(token)}`),
          send({
            method: "POST",
            path: `/g${i}`,
            headers: [cookie(`__Host-access_token=${token}`), ["X-CSRF-TOKEN", MARKER]],
          }),
        ]);
        wanted.push(get(`/throws?jwt=${encodeURIComponent(token)}`));
        for (const answer of await Promise.all(wanted)) {
          clean("answer", `${answer.status} ${JSON.stringify(answer.headers)} ${answer.text}`);
        }
      }
    });
  });
});
