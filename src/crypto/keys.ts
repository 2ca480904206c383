export { importSigningKey, importVerifyKey } from "./import-key.ts";
export type { JsonWebKeyLike } from "./jwk.ts";
export { fixedKeys, importKeySet, type JwkSet, type KeyResolver } from "./key-resolver.ts";
export type { KeyMaterial, KeyRules, SigningKey, VerifyKey } from "./key-types.ts";
