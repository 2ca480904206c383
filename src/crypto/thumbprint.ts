import { sha256 } from "./digest.ts";
import { isJwk } from "./jwk.ts";

/** The members that make a key what it is, in the order of their names (RFC 7638 §3.2, RFC 8037 §2). */
const ESSENTIAL: ReadonlyMap<unknown, readonly string[]> = new Map([
  ["EC", ["crv", "kty", "x", "y"]],
  ["OKP", ["crv", "kty", "x"]],
  ["RSA", ["e", "kty", "n"]],
]);

/**
 * The thumbprint of a public JWK: base64url of SHA-256 over its essential members (RFC 7638 §3). Symmetric keys have none here: it
 * would be a hash of the secret. `undefined` for what is no such key; whether the key is sound is not looked at.
 */
export function thumbprint(jwk: unknown): string | undefined {
  const names = isJwk(jwk) ? ESSENTIAL.get(jwk.kty) : undefined;
  if (names === undefined) return undefined;
  const members = names.map((name) => [name, Object.hasOwn(jwk as object, name) && (jwk as never)[name]] as const);
  if (!members.every(([, value]) => typeof value === "string")) return undefined;
  return sha256(JSON.stringify(Object.fromEntries(members))).toString("base64url");
}
