import { JwtError } from "../../errors.ts";
import { findToken } from "../../locations/find.ts";
import type { Found } from "../../locations/finding.ts";
import type { MaybePromise } from "../../types.ts";
import type { Passage } from "../passage.ts";

/** Finds the token, and demands the CSRF value that must come with it. */
export function findIt(passage: Passage): MaybePromise<JwtError | undefined> {
  const finding = findToken(passage.request, passage.rule.search, passage.from);
  return finding instanceof Promise ? keepLater(passage, finding) : keep(passage, finding);
}

const keepLater = (passage: Passage, finding: Promise<Found | JwtError>): Promise<JwtError | undefined> =>
  finding.then((late) => keep(passage, late));

function keep(passage: Passage, finding: Found | JwtError): JwtError | undefined {
  if (finding instanceof JwtError) return finding;
  passage.found = finding;
  return undefined;
}
