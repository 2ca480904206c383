import { importSigningKey } from "../crypto/keys.ts";
import { randomId } from "../crypto/random.ts";
import { type MintOptions, prepare, seal, subjectOf } from "../issue/mint.ts";
import type { JWTManager, TokenOptions } from "../manager.ts";
import { encodeToken } from "../token/encode.ts";
import type { TokenType } from "../types.ts";

/** Tokens in every state that a test may need. All are made with the keys and options of one manager. */
export interface TestTokens<Identity> {
  /** A good access token of no session. */
  access(identity: Identity, options?: TokenOptions): Promise<string>;
  /** A good access token that is fresh. */
  fresh(identity: Identity, options?: TokenOptions): Promise<string>;
  /** A good refresh token of no session. */
  refresh(identity: Identity, options?: Omit<TokenOptions, "fresh">): Promise<string>;
  /** A token that ended an hour ago. */
  expired(identity: Identity, type?: TokenType): Promise<string>;
  /** A token that begins in an hour. */
  notYetValid(identity: Identity, type?: TokenType): Promise<string>;
  /** A good access token that has been revoked. The manager needs a store. */
  revoked(identity: Identity): Promise<string>;
  /** A token with all the right claims, signed by a secret that nobody trusts. */
  forged(identity: Identity): Promise<string>;
}

const HOUR = 3600;

/** Makes tokens for tests, after the options of a manager. */
export function testTokens<User, Claims, Identity>(manager: JWTManager<User, Claims, Identity>): TestTokens<Identity> {
  const { config } = manager;
  const at = async (
    identity: Identity,
    type: TokenType,
    now: number,
    exp: number,
    options: MintOptions = {},
  ): Promise<string> => {
    const prepared = await prepare(await subjectOf(identity, config), options, config);
    return seal(type, prepared, Math.floor(exp / 1000), false, {}, now, config);
  };
  return {
    access: (identity, options) => manager.createAccessToken(identity, options),
    fresh: (identity, options) => manager.createAccessToken(identity, { ...options, fresh: true }),
    refresh: (identity, options) => manager.createRefreshToken(identity, options),
    expired(identity, type = "access") {
      const now = config.clock();
      return at(identity, type, now - 2 * HOUR * 1000, now - HOUR * 1000);
    },
    notYetValid(identity, type = "access") {
      const now = config.clock();
      return at(identity, type, now + HOUR * 1000, now + 2 * HOUR * 1000);
    },
    async revoked(identity) {
      const token = await manager.createAccessToken(identity);
      await manager.revokeToken(token);
      return token;
    },
    async forged(identity) {
      const claims = await manager.decodeToken(await manager.createAccessToken(identity));
      return encodeToken(importSigningKey(`${randomId()}${randomId()}`, "HS256"), undefined, claims);
    },
  };
}
