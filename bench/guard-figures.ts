import type { JwtRequest } from "../src/http/types.ts";
import { JWTManager } from "../src/manager.ts";
import type { GuardOptions } from "../src/types.ts";
import { type Job, pair } from "./jobs.ts";
import type { Contender } from "./measure.ts";
import { fastVerifier } from "./peers.ts";
import { asRequest, cookieLines, headerLines, type Lines } from "./requests.ts";
import { AUDIENCE, ISSUER, inTurn, LEEWAY, makeKeys, reader, secretText, TOKENS } from "./tokens.ts";

type Manager = JWTManager<undefined, Record<string, unknown>, string>;

function makeManager(verifyCache: boolean, places: "headers" | "cookies" = "headers"): Manager {
  return new JWTManager({
    secretKey: secretText,
    issuer: ISSUER,
    audience: AUDIENCE,
    leeway: LEEWAY,
    tokenLocation: [places],
    verifyCache,
    warn: () => {},
  }) as Manager;
}

/** Access tokens of as many users. All of them carry the roles that a guard may ask for. */
async function logins(manager: Manager): Promise<string[]> {
  const claims = { roles: ["user", "editor"] };
  const users = Array.from({ length: TOKENS }, (_, user) => `user-${1_000_000 + user}`);
  const pairs = await Promise.all(users.map((user) => manager.createTokenPair(user, { claims })));
  return pairs.map((login) => login.access_token);
}

/** A guard over requests that are made before its time is taken. */
function guarding(
  name: string,
  manager: Manager,
  method: string,
  lines: readonly Lines[],
  options: GuardOptions<undefined, Record<string, unknown>> = {},
): Contender {
  const guard = manager.guard(options);
  const next = inTurn(lines);
  let queue: JwtRequest[] = [];
  return {
    name,
    prepare(calls) {
      queue = Array.from({ length: calls }, () => asRequest(method, next()));
    },
    run(i) {
      const outcome = guard.check(queue[i] as JwtRequest);
      if (outcome instanceof Promise || !outcome.ok) throw new Error("a good request was refused, or had to wait");
      return outcome;
    },
  };
}

const WHAT = "header, type, roles, revocation in memory";

function overVerify(cached: boolean, fastCached: boolean, target?: number): Job {
  return pair(
    "whole guard",
    async () => {
      const manager = makeManager(cached);
      const tokens = await logins(manager);
      const verify = await fastVerifier("HS256", makeKeys("HS256"), fastCached ? TOKENS : 0);
      return [
        guarding(`ours, ${cached ? "cache" : "no cache"} (${WHAT})`, manager, "GET", tokens.map(headerLines), {
          roles: "user",
        }),
        reader(`fast-jwt's verify alone, ${fastCached ? "cache" : "no cache"}`, inTurn(tokens), verify),
      ];
    },
    target,
  );
}

const cookies = pair("cookie mode with CSRF", async () => {
  const inCookies = makeManager(true, "cookies");
  const inHeaders = makeManager(true);
  const tokens = await logins(inHeaders);
  const lines = await Promise.all((await logins(inCookies)).map((token) => cookieLines(inCookies, token)));
  return [
    guarding("guard, cookie and CSRF value", inCookies, "POST", lines),
    guarding("guard, header", inHeaders, "POST", tokens.map(headerLines)),
  ];
});

export const jobs: readonly Job[] = [
  overVerify(true, true, 4),
  overVerify(true, false),
  overVerify(false, false),
  cookies,
];
