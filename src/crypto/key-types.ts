import type { KeyObject } from "node:crypto";
import type { Algorithm } from "./algorithms.ts";
import type { JsonWebKeyLike } from "./jwk.ts";

/**
 * A key as an application has it: a secret or PEM as text (PKCS#1, PKCS#8, SPKI, SEC1, certificate), bytes (a secret, PEM or DER), a JWK, or a
 * `KeyObject`.
 */
export type KeyMaterial = string | Uint8Array | KeyObject | JsonWebKeyLike | ExportedJwk;

/** A JWK as `keyObject.export({ format: "jwk" })` and WebCrypto type it, with a name and purpose if they were added: any member may be missing. */
export interface ExportedJwk {
  readonly kty?: string | undefined;
  readonly kid?: string | undefined;
  readonly alg?: string | undefined;
  readonly use?: string | undefined;
  readonly key_ops?: readonly string[] | undefined;
  readonly crv?: string | undefined;
  readonly n?: string | undefined;
  readonly e?: string | undefined;
  readonly x?: string | undefined;
  readonly y?: string | undefined;
  readonly d?: string | undefined;
  readonly k?: string | undefined;
}

/** How strictly keys are judged. */
export interface KeyRules {
  /** Short HMAC secrets and small RSA keys pass. Empty secrets, public keys as secrets and misfits never do. */
  readonly allowWeak: boolean;
}

/** A key that can verify, bound to one algorithm (RFC 8725 §3.1). */
export interface VerifyKey {
  readonly algorithm: Algorithm;
  /** The `kid` of the JWK it came from (RFC 7517 §4.5). */
  readonly kid: string | undefined;
  /**
   * Whether the text after the dot at `end`, base64url without padding, is the signature of what stands before it. Anything malformed is
   * `false`; it never throws. The caller sees to it that no character is above U+00FF, and what is signed ASCII.
   */
  verify(token: string, end: number): boolean;
}

/** A key that can sign, bound to one algorithm. */
export interface SigningKey {
  readonly algorithm: Algorithm;
  /** Goes into the header of each token. */
  readonly kid: string | undefined;
  /** Signs ASCII text and gives base64url without padding. RSA signs in the thread pool. */
  sign(signingInput: string): string | Promise<string>;
}
