import { isAlgorithm, isSymmetric } from "../../crypto/algorithms.ts";
import { importVerifyKey } from "../../crypto/keys.ts";
import { isJwtError } from "../../errors.ts";
import type { Ask } from "./asking.ts";
import { type Finding, fault, ok, orOk, skipped, warning } from "./finding.ts";

/** The members that nobody but the owner may have (RFC 7518 §6.2.2, §6.3.2, §6.4). */
const PRIVATE = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

type Jwk = Readonly<Record<string, unknown>> & { readonly kty: string };

/** Judges a published key set (RFC 7517 §5). */
export async function jwksFindings(ask: Ask, path: string): Promise<readonly Finding[]> {
  const { status, text } = await ask(path, { headers: { Accept: "application/json" } });
  if (status !== 200) return [skipped("jwks", `There is no key set at ${path} (${status}).`)];
  const keys = keysIn(text);
  if (!keys) return [fault("jwks", `${path} is no key set.`, 'Answer {"keys": […]} (RFC 7517 §5).')];
  if (keys.length === 0) return [ok("jwks", "The key set is empty, as it is where a secret signs.")];
  const names = keys.map(({ kid }) => kid);
  const found = keys.flatMap(keyFindings);
  if (keys.length > 1 && new Set(names.filter((kid) => typeof kid === "string")).size < keys.length) {
    found.push(fault("jwks", "Not every key of the set has a kid of its own.", "Give each its thumbprint (RFC 7638)."));
  }
  return orOk(
    found,
    "jwks",
    `The key set has ${keys.length} public ${keys.length === 1 ? "key" : "keys"}, and nothing private.`,
  );
}

function keysIn(text: string): readonly Jwk[] | undefined {
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    const isKey = (key: unknown): key is Jwk => typeof (key as Jwk | null)?.kty === "string";
    return Array.isArray(keys) && keys.every(isKey) ? keys : undefined;
  } catch {
    return undefined;
  }
}

function keyFindings(jwk: Jwk): Finding[] {
  if (PRIVATE.some((member) => Object.hasOwn(jwk, member))) {
    const mend = "Take it out at once, make a new key, and revoke what the old one signed.";
    return [fault("jwks", "The key set holds a private key: whoever has read it can sign tokens.", mend)];
  }
  const { alg } = jwk;
  if (alg === undefined) {
    return [
      warning("jwks", "A key names no alg: verifiers must guess what it signs.", 'Add its "alg" (RFC 7517 §4.4).'),
    ];
  }
  try {
    if (!isAlgorithm(alg) || isSymmetric(alg)) throw new Error("no algorithm of key pairs");
    importVerifyKey(jwk, alg);
    return [];
  } catch (error) {
    const why = isJwtError(error) ? error.message : "Its alg is none that is understood.";
    return [fault("jwks", "A key of the set cannot be used.", why)];
  }
}
