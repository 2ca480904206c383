import { createPrivateKey, createPublicKey } from "node:crypto";
import { fromEnv, inVariables } from "../config/flask-names.ts";
import type { JwtOptions } from "../config/options.ts";
import { isAlgorithm, isSymmetric } from "../crypto/algorithms.ts";
import { thumbprint } from "../crypto/thumbprint.ts";
import { ConfigError } from "../errors.ts";
import { JWTManager } from "../manager.ts";
import { memoryStore } from "../stores/memory.ts";
import { DEVELOPMENT_SECRET, developmentSecret } from "./development-secret.ts";
import type { Environment } from "./environment.ts";
import { CannotStart } from "./faults.ts";
import type { Settings } from "./settings.ts";

/** What signs the tokens, and all other options that `JWT_…` variables set. */
export interface Signing {
  /** For a manager, but for its store and loaders. */
  readonly options: JwtOptions;
  /** The public keys by which others can verify: none where a secret signs (RFC 7517 §5). */
  readonly jwks: { readonly keys: readonly object[] };
  /** The file that was used instead of JWT_SECRET_KEY. */
  readonly developmentFile: string | undefined;
}

const HOW_TO_MAKE_A_SECRET =
  "Make a secret once, with `npx jwt-extended secret` or `openssl rand -base64 48`, keep it out of the code, and start with JWT_SECRET_KEY set to it.";

/**
 * Reads the `JWT_…` variables. Without a key a secret is made for development, which only programs on this machine get to
 * meet; its tokens carry an issuer of their own, so that no real server takes them.
 */
export function readSigning(env: Environment, settings: Settings, faults: string[]): Signing {
  const given = fromEnv(env);
  const { keys, ...pair } = namedPair(given);
  const options: JwtOptions = {
    tokenLocation: ["headers", "cookies"],
    cookieSecure: !settings.plainHttp,
    publicOrigin: settings.publicOrigin,
    ...given,
    ...pair,
  };
  if (given.cookieSecure === false && !settings.plainHttp) {
    faults.push("JWT_COOKIE_SECURE=false sends login cookies in clear text: it is for http on this machine alone.");
  }
  const usesSecret = !isAlgorithm(given.algorithm) || isSymmetric(given.algorithm);
  const isDevelopment = given.secretKey === undefined && given.privateKey === undefined && usesSecret;
  // Where its file could not be read, that was said.
  const isNamed = faults.some((fault) => fault.startsWith("JWT_SECRET_KEY"));
  if (isDevelopment && !isNamed) faults.push(...developmentFaults(env.JWT_SECRET_KEY, settings));
  faults.push(...optionFaults(isDevelopment ? { ...options, secretKey: "0123456789abcdef".repeat(4) } : options));
  if (!isDevelopment || faults.length > 0) return { options, jwks: { keys }, developmentFile: undefined };
  try {
    const development = { issuer: "jwt-extended-dev", ...options, secretKey: developmentSecret() };
    return { options: development, jwks: { keys }, developmentFile: DEVELOPMENT_SECRET };
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    faults.push(...error.faults);
    return { options, jwks: { keys }, developmentFile: undefined };
  }
}

function developmentFaults(secret: string | undefined, { production, loopback }: Settings): string[] {
  if (secret === "") return [`JWT_SECRET_KEY is empty. ${HOW_TO_MAKE_A_SECRET}`];
  if (production) return [`JWT_SECRET_KEY is missing and NODE_ENV is production. ${HOW_TO_MAKE_A_SECRET}`];
  if (!loopback) return [`JWT_SECRET_KEY is missing and HOST is open to other machines. ${HOW_TO_MAKE_A_SECRET}`];
  return [];
}

/** Gives a key pair its name, by which tokens and the published set know it (RFC 7638). What is wrong with it the manager says. */
function namedPair({ privateKey, publicKey, algorithm }: JwtOptions): JwtOptions & { keys: readonly object[] } {
  if (typeof privateKey !== "string") return { keys: [] };
  try {
    const key = createPrivateKey(privateKey);
    const jwk = createPublicKey(typeof publicKey === "string" ? publicKey : key).export({ format: "jwk" });
    const kid = thumbprint(jwk);
    return {
      privateKey: { ...key.export({ format: "jwk" }), kid },
      publicKey: { ...jwk, kid },
      keys: [{ ...jwk, kid, alg: algorithm, use: "sig" }],
    };
  } catch {
    return { keys: [] };
  }
}

/** What a manager finds wrong with its options. */
function optionFaults(options: JwtOptions): readonly string[] {
  try {
    const store = memoryStore({ singleProcess: true });
    const { config } = new JWTManager({ ...options, store, warn: () => {} });
    return config.mintsTokens ? [] : ["JWT_PRIVATE_KEY is missing: this server signs tokens."];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(inVariables);
  }
}
