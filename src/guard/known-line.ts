import type { Found, Search } from "../locations/finding.ts";
import type { Passage } from "./passage.ts";

// A client sends the same header line over and over. To compare the line, instead of finding the token in it, cutting it out
// and comparing that, spares a guard of known tokens a quarter of its time in a running server. What is found in a line depends
// on nothing but the line and the guard, so that the finding of the last time is kept with the token.

/** Where the checks go on after `recall`: behind `findIt`, `signature` and `csrfMatch`, which have nothing left to say. */
export const AFTER_RECALL = 3;

/** Whether the header decides by itself: nothing is looked at before it, and nothing else may hold a second token. */
export function knowsLines({ places, config: { behaviour } }: Search): boolean {
  const [first, ...others] = places;
  const isAlone = first === "headers" && others.every((place) => place === "cookies");
  return isAlone && behaviour.oneCredential && !behaviour.inventClaims;
}

/** Takes a token by its whole header line, if the same guard took it out of the same line before. */
export function recall(passage: Passage): boolean {
  const { request, rule, now } = passage;
  const lines = request.header(rule.config.tokenHeader);
  if (lines.length !== 1) return false;
  const known = rule.verifier.recall(lines[0] as string, now);
  if (known === undefined || known.passed !== rule.id) return false;
  passage.found = known.found as Found;
  passage.header = known.header;
  passage.claims = known.claims;
  passage.shown = known.claims;
  passage.memo = known;
  return true;
}

/** Keeps with a token that it passed this guard, and what was found in its line. */
export function keepLine({ memo, found, rule }: Passage): void {
  const line = rule.knowsLines ? found?.line : undefined;
  if (memo.passed === rule.id && memo.line === line) return;
  memo.passed = rule.id;
  memo.line = line;
  memo.found = line === undefined ? undefined : found;
}
