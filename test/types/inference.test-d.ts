// What the compiler infers from the options of a manager. Each `@ts-expect-error` is a mistake that must not compile.
import { type Anonymous, type AnyClaims, type AuthContext, JWTManager, type JwtOptions } from "jwt-extended";
import { expressJwt } from "jwt-extended/express";
import * as v from "valibot";
import { z } from "zod";
import { type Equal, type Expect, expectType } from "./expect.ts";

declare const secretKey: string;
interface User {
  readonly id: number;
  readonly name: string;
}

// Nothing given: no user, open claims, text as identity.
const plain = new JWTManager({ secretKey });
expectType<JWTManager<undefined, AnyClaims, string>>(plain);
plain.createAccessToken("alice");
// @ts-expect-error a number is no identity
plain.createAccessToken(7);
// @ts-expect-error an option that does not exist
new JWTManager({ secretKey, accessTokenExpire: "15m" });

// The user comes from userLookup, without null; sync or async.
const withUser = new JWTManager({
  secretKey,
  loaders: {
    userLookup: async (_header, claims): Promise<User | null> => (claims.sub === "1" ? { id: 1, name: "a" } : null),
  },
});
expectType<Expect<Equal<typeof withUser, JWTManager<User, AnyClaims, string>>>>(true);
const withSyncUser = new JWTManager({
  secretKey,
  loaders: { userLookup: () => ({ id: 1, name: "a" }) as User | undefined },
});
expectType<JWTManager<User, AnyClaims, string>>(withSyncUser);

// The identity comes from userIdentity, and additionalClaims sees it but does not decide it.
const withIdentity = new JWTManager({
  secretKey,
  loaders: { additionalClaims: (id) => ({ double: id * 2 }), userIdentity: (id: number) => String(id) },
});
withIdentity.createAccessToken(7);
// @ts-expect-error text is no number
withIdentity.createAccessToken("7");
new JWTManager({
  secretKey,
  // @ts-expect-error the loader wants another identity than userIdentity takes
  loaders: { userIdentity: (id: number) => String(id), additionalClaims: (id: Date) => ({ at: id.getTime() }) },
});

// The claims come from the schema, whichever library made it, and wherever it stands among the options.
const zodSchema = z.object({ roles: z.array(z.string()), since: z.coerce.date() });
const schemaFirst = new JWTManager({
  secretKey,
  claimsSchema: zodSchema,
  loaders: { userLookup: (): User => ({ id: 1, name: "a" }) },
});
const schemaLast = new JWTManager({
  secretKey,
  loaders: { userLookup: (): User => ({ id: 1, name: "a" }) },
  claimsSchema: zodSchema,
});
expectType<Expect<Equal<typeof schemaFirst, typeof schemaLast>>>(true);
const byValibot = new JWTManager({ secretKey, claimsSchema: v.object({ tenant: v.string() }) });

const zodFace = expressJwt(schemaFirst);
const valibotFace = expressJwt(byValibot);
declare const req: Parameters<typeof zodFace.getAuth>[0];
const auth = zodFace.getAuth(req);
expectType<AuthContext<User, { roles: string[]; since: Date }>>(auth);
expectType<string[]>(auth.claims.roles);
expectType<Date>(auth.claims.since);
expectType<string>(auth.claims.sub);
expectType<string>(auth.user.name);
expectType<string>(valibotFace.getAuth(req).claims.tenant);
// @ts-expect-error no such claim
auth.claims.role;
// @ts-expect-error claims are frozen
auth.claims.roles = [];

// Options built apart.
const options = { secretKey, claimsSchema: zodSchema, tokenLocation: ["cookies", "headers"] } as const;
expectType<string[]>(expressJwt(new JWTManager(options)).getAuth(req).claims.roles);
const typed: JwtOptions<User> = { secretKey, loaders: { userLookup: () => null } };
expectType<User>(expressJwt(new JWTManager(typed)).getAuth(req).user);
// A user's exactOptionalPropertyTypes: undefined is allowed everywhere.
new JWTManager({ secretKey, audience: undefined, store: undefined, loaders: undefined, leeway: undefined });

// Two managers keep their types apart.
const api = expressJwt(withUser);
const admin = expressJwt(schemaFirst);
expectType<User>(api.getAuth(req).user);
expectType<Date>(admin.getAuth(req).claims.since);
// @ts-expect-error the claims of the other manager
api.getAuth(req).claims.since satisfies Date;

// tryGetAuth and a verifyRequest that may find nobody are unions, told apart by identity.
const maybe = zodFace.tryGetAuth(req);
expectType<AuthContext<User, { roles: string[]; since: Date }> | Anonymous>(maybe);
// @ts-expect-error nobody may be there
maybe.claims.roles;
if (maybe.identity !== null) expectType<string[]>(maybe.claims.roles);
else expectType<"missing" | "expired">(maybe.reason);
