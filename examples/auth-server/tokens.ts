import { JWTManager, type TokenStore } from "jwt-extended";
import type { Signing } from "./secret.ts";
import type { Users } from "./users.ts";

/** Makes and checks the tokens. Identity is the user's id; what the user is called and may do comes from the database. */
export function createTokens({ secretKey, issuer }: Signing, users: Users, store: TokenStore) {
  return new JWTManager({
    secretKey,
    issuer,
    store,
    loaders: {
      additionalClaims: (id: string) => ({ roles: [users.byId(id)?.role ?? "user"] }),
      // Nobody found, 401: the tokens of a deleted user die at once.
      userLookup: (_header, claims) => users.byId(claims.sub),
    },
  });
}

export type Tokens = ReturnType<typeof createTokens>;
