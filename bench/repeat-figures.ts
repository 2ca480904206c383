import { type Job, pair } from "./jobs.ts";
import { fastVerifier, type Verify } from "./peers.ts";
import { inTurn, makeKeys, minter, mintMany, ourVerifier, reader, TOKENS } from "./tokens.ts";

const keys = makeKeys("HS256");
const mint = minter("HS256", keys) as () => string;

/** Tokens of which a part has come before, each as a new string. What never comes twice is made anew. */
async function stream(hits: number): Promise<() => string> {
  if (hits === 0) return mint;
  const again = inTurn(await mintMany("HS256", keys));
  if (hits === 1) return again;
  let calls = 0;
  return () => (calls++ % 2 === 0 ? again() : mint());
}

type Contestant = readonly [name: string, make: () => Verify | Promise<Verify>];
const cached: Contestant = ["ours, cache", () => ourVerifier("HS256", keys, true)];
const uncached: Contestant = ["ours, no cache", () => ourVerifier("HS256", keys, false)];
const fastCached: Contestant = ["fast-jwt, cache", () => fastVerifier("HS256", keys, TOKENS)];
const fastUncached: Contestant = ["fast-jwt, no cache", () => fastVerifier("HS256", keys)];

function match(hits: number, [ours, makeOurs]: Contestant, [over, makeOver]: Contestant, target?: number): Job {
  return pair(
    `${TOKENS} tokens, ${hits * 100} % hits`,
    async () => [
      reader(ours, await stream(hits), await makeOurs()),
      reader(over, await stream(hits), await makeOver()),
    ],
    target,
  );
}

export const jobs: readonly Job[] = [
  match(1, cached, fastCached, 8),
  match(1, cached, fastUncached),
  match(1, cached, uncached),
  match(0.5, cached, fastCached),
  match(0.5, cached, uncached),
  match(0, cached, fastCached),
  match(0, cached, uncached, 0.9),
];
