import { JWTManager } from "../src/manager.ts";
import { tokenRules } from "../src/token/policy.ts";
import { createVerifier } from "../src/token/verify.ts";
import { type Job, pair } from "./jobs.ts";
import type { Contender } from "./measure.ts";
import { asRequest, headerLines } from "./requests.ts";
import { inTurn, reader, secretText, TOKENS } from "./tokens.ts";

const manager = new JWTManager({ secretKey: secretText, verifyCache: false, warn: () => {} });

/** Good access tokens, and the same ones each with the signature of another. */
async function makeTokens(): Promise<{ readonly good: string[]; readonly forged: string[] }> {
  const pairs = await Promise.all(Array.from({ length: TOKENS }, (_, user) => manager.createTokenPair(`user-${user}`)));
  const good = pairs.map((login) => login.access_token);
  const cut = (token: string): number => token.lastIndexOf(".");
  const forged = good.map((token, i) => {
    const other = good[(i + 1) % good.length] as string;
    return token.slice(0, cut(token)) + other.slice(cut(other));
  });
  return { good, forged };
}

function verifying(name: string, tokens: readonly string[], isGood: boolean): Contender {
  const { config } = manager;
  if (!config.keys.verifying) throw new Error("no key to verify with");
  const verifier = createVerifier(config.keys.verifying, tokenRules(config), false);
  return reader(name, inTurn(tokens), (token) => {
    const outcome = verifier.verify(token, Date.now());
    if (outcome instanceof Error === isGood) throw new Error("judged wrongly");
    return outcome;
  });
}

function guarding(name: string, tokens: readonly string[], isGood: boolean): Contender {
  const guard = manager.guard();
  const next = inTurn(tokens);
  let queue: ReturnType<typeof asRequest>[] = [];
  return {
    name,
    prepare(calls) {
      queue = Array.from({ length: calls }, () => asRequest("GET", headerLines(next())));
    },
    run(i) {
      const outcome = guard.check(queue[i] as ReturnType<typeof asRequest>);
      if (outcome instanceof Promise || outcome.ok !== isGood) throw new Error("judged wrongly");
      return outcome;
    },
  };
}

export const jobs: readonly Job[] = [
  pair(
    "forged token",
    async () => {
      const { good, forged } = await makeTokens();
      return [verifying("refusing it", forged, false), verifying("accepting a good one", good, true)];
    },
    0.9,
  ),
  pair(
    "forged token, whole guard",
    async () => {
      const { good, forged } = await makeTokens();
      return [
        guarding("refusing it, with the answer made", forged, false),
        guarding("accepting a good one", good, true),
      ];
    },
    0.9,
  ),
];
