// Runs an attack corpus through the library: `npm run attack -- --corpus DIR`. See the corpus's README for the format.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { resolveConfig } from "../src/config/resolve.ts";
import { type Algorithm, isAlgorithm } from "../src/crypto/algorithms.ts";
import { fixedKeys, importKeySet, importVerifyKey, type KeyResolver } from "../src/crypto/keys.ts";
import { isJwtError } from "../src/errors.ts";
import { createEmitter } from "../src/events.ts";
import { compileGuard } from "../src/guard/compile.ts";
import { admit } from "../src/guard/pipeline.ts";
import { createProofGate } from "../src/guard/proof-gate.ts";
import { needStore, storeCalls } from "../src/sessions/store-calls.ts";
import { memoryStore } from "../src/stores/memory.ts";
import { tokenRules } from "../src/token/policy.ts";
import { createVerifier, expiredAt, type TokenRules, verifySignature } from "../src/token/verify.ts";

/** One case of a corpus. */
export interface AttackCase {
  readonly id: string;
  readonly class: string;
  readonly layer: string;
  readonly key: { readonly kty: string; readonly keys?: unknown };
  readonly alg: string;
  readonly now: number;
  readonly options?: {
    readonly issuer?: string;
    readonly audience?: string;
    readonly subject?: string;
    readonly typ?: string;
    readonly leeway?: number;
    readonly maxTokenAge?: number;
    readonly requiredClaims?: readonly string[];
    readonly proofAlgs?: readonly string[];
    readonly maxAge?: number;
    readonly nonce?: string;
    readonly dpopRequired?: boolean;
  };
  /** Of the layer `dpop` only. */
  readonly request?: {
    readonly method: string;
    readonly url: string;
    readonly authorization: string | null;
    readonly dpop: readonly string[];
  };
  readonly token: string;
  readonly expect: "accept" | "reject";
  readonly level: string;
}

/** What came of one case. */
export interface AttackResult {
  readonly test: AttackCase;
  readonly outcome: "accept" | "reject" | "skipped";
  /** The text of an exception that is not the library's own. */
  readonly foreign: string | undefined;
  readonly slow: boolean;
  readonly why: string;
}

const MOST_MS = 50;
const MOST_MS_RSA = 200;
const BUILT_LAYERS = ["jwt", "jws", "dpop"];

/** The rules that a default configuration makes, with the options of the case on top. No option, no check. */
export function rulesOf({ options = {} }: AttackCase): TokenRules {
  return {
    leeway: options.leeway ?? 0,
    issuer: options.issuer === undefined ? undefined : [options.issuer],
    audience: options.audience === undefined ? undefined : [options.audience],
    subject: options.subject,
    typ: options.typ,
    maxAge: options.maxTokenAge,
    requiredClaims: options.requiredClaims ?? [],
    verifySub: true,
    jtiString: true,
    cutTimes: false,
    paddedBase64: false,
    lastNameWins: false,
    strictHeader: true,
    maxBytes: 8192,
    maxDepth: 32,
    missingClaim: () => undefined,
  };
}

function keysOf({ key, alg }: AttackCase): KeyResolver {
  const isSet = typeof key === "object" && key !== null && Object.hasOwn(key, "keys");
  if (isSet) return importKeySet(key, isAlgorithm(alg) ? [alg] : []);
  return fixedKeys([importVerifyKey(key as never, alg as Algorithm)]);
}

/** A request with an access token and its proof, through a guard that asks for no more. */
async function requestRefusal({ key, alg, now, options = {}, request }: AttackCase): Promise<Error | undefined> {
  const { method = "", url = "", authorization, dpop: proofs = [] } = request ?? {};
  const path = url.replace(/^\w+:\/\/[^/?#]*/, "");
  const clock = (): number => now * 1000;
  const { issuer, audience = false, proofAlgs, maxAge, leeway, nonce, dpopRequired } = options;
  const config = resolveConfig({
    publicKey: key as never,
    algorithm: alg,
    issuer,
    audience,
    leeway: 0,
    clock,
    store: memoryStore({ clock }),
    requireJti: false,
    dpop: { origin: new URL(url).origin, algorithms: proofAlgs, maxAge, leeway, required: dpopRequired },
  });
  const store = needStore(
    storeCalls(
      config,
      createEmitter(() => {}),
    ),
    "The replay check",
  );
  const gate = createProofGate(config.dpop as NonNullable<typeof config.dpop>, store, async () =>
    nonce === undefined ? undefined : [nonce],
  );
  const verifier = createVerifier(config.keys.verifying as KeyResolver, tokenRules(config), false);
  // The store is as old as the clock, and so younger than the tokens.
  const rule = compileGuard({ skipRevocationCheck: true }, config, verifier, store, gate);
  const headers: Readonly<Record<string, readonly string[]>> = {
    authorization: [authorization ?? []].flat(),
    dpop: proofs,
  };
  const neutral = { method, url: path, header: (name: string) => headers[name] ?? [], body: () => Promise.reject() };
  const admitted = await admit(neutral, rule);
  return admitted instanceof Error ? admitted : undefined;
}

/** Refuses with the reason, or gives nothing when the token is accepted. Throws what the library throws. */
async function refusalOf(test: AttackCase): Promise<Error | undefined> {
  if (test.layer === "dpop") return requestRefusal(test);
  const keys = keysOf(test);
  const rules = rulesOf(test);
  if (test.layer === "jws") {
    const signed = await verifySignature(test.token, keys, rules);
    if (test.expect === "accept" || !(signed instanceof Error)) return signed instanceof Error ? signed : undefined;
    // What is refused as a JWS must be refused as a JWT, too.
    const verified = await createVerifier(keys, rules, false).verify(test.token, test.now * 1000);
    return verified instanceof Error ? signed : undefined;
  }
  const now = test.now * 1000;
  const verified = await createVerifier(keys, rules, false).verify(test.token, now);
  if (verified instanceof Error) return verified;
  return expiredAt(verified.claims, now, rules.leeway, rules.cutTimes) ? new Error("expired") : undefined;
}

/** Runs one case. Never throws. */
export async function runCase(test: AttackCase): Promise<AttackResult> {
  if (!BUILT_LAYERS.includes(test.layer)) return { test, outcome: "skipped", foreign: undefined, slow: false, why: "" };
  const start = performance.now();
  let outcome: AttackResult["outcome"];
  let foreign: string | undefined;
  let why = "";
  try {
    const refusal = await refusalOf(test);
    outcome = refusal === undefined ? "accept" : "reject";
    why = isJwtError(refusal) ? `${refusal.code}: ${refusal.detail}` : (refusal?.message ?? "");
  } catch (error) {
    outcome = "reject";
    if (isJwtError(error)) why = error.message;
    else foreign = String(error);
  }
  const took = performance.now() - start;
  if ((Object.prototype as { isAdmin?: unknown }).isAdmin !== undefined) foreign = "Object.prototype was changed";
  return { test, outcome, foreign, slow: took > (test.key?.kty === "RSA" ? MOST_MS_RSA : MOST_MS), why };
}

/** Reads every `.json` file of a folder that `wanted` lets through. */
export function readCorpus(folder: string, wanted: (file: string) => boolean = () => true): readonly AttackCase[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json") && wanted(file));
  return files.sort().flatMap((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as AttackCase[]);
}

/** Runs all cases, each alone. The first verification of a process loads code, which is no fault of a case: it runs beforehand. */
export async function runCorpus(cases: readonly AttackCase[]): Promise<readonly AttackResult[]> {
  const warmUp = cases.find((test) => BUILT_LAYERS.includes(test.layer));
  if (warmUp !== undefined) await runCase(warmUp);
  const results: AttackResult[] = [];
  for (const test of cases) {
    let result = await runCase(test);
    // A case that is slow is slow each time; one that other programs held up is not.
    for (let again = 0; result.slow && again < 2; again++) result = await runCase(test);
    results.push(result);
  }
  return results;
}

export const isWrong = ({ test, outcome }: AttackResult): boolean => outcome !== "skipped" && outcome !== test.expect;
export const isFailure = (result: AttackResult): boolean =>
  result.foreign !== undefined || result.slow || (isWrong(result) && result.test.level === "must");

function report(results: readonly AttackResult[]): boolean {
  const run = results.filter(({ outcome }) => outcome !== "skipped");
  const groups = new Map<string, AttackResult[]>();
  for (const result of run) {
    const name = `${result.test.class.padEnd(24)} ${result.test.level.padEnd(12)}`;
    groups.set(name, [...(groups.get(name) ?? []), result]);
  }
  console.log(`${"class".padEnd(24)} ${"level".padEnd(12)} cases  accepted!  refused!  foreign!  slow!`);
  for (const [name, rows] of [...groups].sort(([a], [b]) => a.localeCompare(b))) {
    const wrong = rows.filter(isWrong);
    const counts = [
      rows.length,
      wrong.filter(({ outcome }) => outcome === "accept").length,
      wrong.filter(({ outcome }) => outcome === "reject").length,
      rows.filter(({ foreign }) => foreign !== undefined).length,
      rows.filter(({ slow }) => slow).length,
    ];
    const [cases, ...bad] = counts.map(String) as [string, string, string, string, string];
    console.log(
      `${name} ${cases.padStart(5)}  ${bad[0].padStart(9)} ${bad[1].padStart(9)} ${bad[2].padStart(9)} ${bad[3].padStart(6)}`,
    );
  }
  for (const result of run) {
    const { test, outcome, foreign, slow, why } = result;
    if (isWrong(result))
      console.log(`${test.level}: ${test.id} was ${outcome}ed, expected ${test.expect}${why && ` (${why})`}`);
    if (foreign !== undefined) console.log(`foreign error: ${test.id}: ${foreign}`);
    if (slow) console.log(`too slow: ${test.id}`);
  }
  for (const layer of new Set(results.filter(({ outcome }) => outcome === "skipped").map(({ test }) => test.layer))) {
    const count = results.filter(({ test }) => test.layer === layer).length;
    console.log(`layer ${layer}: ${count} cases, not built yet`);
  }
  const failed = run.filter(isFailure).length;
  console.log(`${run.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

async function main(): Promise<void> {
  const at = process.argv.indexOf("--corpus");
  const folder = process.argv[at + 1];
  if (at < 0 || folder === undefined) {
    console.error("Usage: npm run attack -- --corpus DIR");
    process.exitCode = 2;
    return;
  }
  if (!report(await runCorpus(readCorpus(folder)))) process.exitCode = 1;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
