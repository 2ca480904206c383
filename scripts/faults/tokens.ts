import { isJwtError, JWTManager, type JwtRequest, type TokenStore } from "../../src/index.ts";

/** The same in every process of an experiment; it protects nothing. */
const SECRET = "a secret of the experiments alone, 48 characters";

/** The manager of every process. */
export function makeManager(store: TokenStore): JWTManager {
  return new JWTManager({ secretKey: SECRET, store, onStoreError: "deny" });
}

/** What is kept of a pair. */
export interface Login {
  readonly access: string;
  readonly refresh: string;
  readonly sid: string;
}

/** What became of an operation: `ok`, or the code of the refusal. */
export interface Answer {
  readonly code: string;
  readonly login?: Login;
}

/** The claims of a token of ours, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  const [, payload = ""] = token.split(".");
  return JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
}

/** The six claims in which the successors of one refresh token must agree. */
export function identityOf(refresh: string): string {
  const { sid, gen, jti, sub, iat, exp } = claimsOf(refresh);
  return JSON.stringify([sid, gen, jti, sub, iat, exp]);
}

/** A request that brings an access token. */
export function bringing(token: string): JwtRequest {
  const value = [`Bearer ${token}`];
  return {
    method: "GET",
    url: "/",
    header: (name) => (name === "authorization" ? value : []),
    body: async () => ({ kind: "none", why: "absent" }),
  };
}

/** Runs an operation; a refusal is an answer, anything else is thrown. */
export async function answer(operation: () => Promise<Login | undefined>): Promise<Answer> {
  try {
    const login = await operation();
    return login ? { code: "ok", login } : { code: "ok" };
  } catch (error) {
    if (isJwtError(error)) return { code: error.code };
    throw error;
  }
}
