import { raise, UnauthorizedError, UsageError } from "../errors.ts";
import type { AnyClaims, AuthContext, JwtHeader, JwtLocation, RegisteredClaims } from "../types.ts";
import { ambientState, innermost, type RequestState } from "./state.ts";

type Known = AuthContext<unknown, AnyClaims>;
type AllClaims = Readonly<RegisteredClaims & AnyClaims>;

/** What the innermost guard of a request left behind; of the request being served, if none is given. */
function stateOf(request: object | undefined): RequestState | undefined {
  return request === undefined ? ambientState() : innermost(request);
}

function known(request: object | undefined): Known {
  const auth = stateOf(request)?.auth;
  if (auth?.claims) return auth as Known;
  if (auth) return raise(new UnauthorizedError("token_missing"));
  if (request !== undefined) {
    const message = "No guard ran for this request: put jwtRequired() or protect() in front of the route.";
    return raise(new UsageError("no_auth_context", { message }));
  }
  const message =
    "Without a request this works only under a guard, and only if the manager has ambientContext: true. Pass the request instead: getJwt(request).";
  return raise(new UsageError("ambient_context_off", { message }));
}

function perhaps(request: object | undefined): Known | undefined {
  const auth = stateOf(request)?.auth;
  return auth?.claims ? (auth as Known) : undefined;
}

/** The claims of the current token. Throws where there is none; without a request the manager needs `ambientContext`. */
export const getJwt = (request?: object): AllClaims => known(request).claims;
/** Like `getJwt`, and `undefined` where there is no token. */
export const tryGetJwt = (request?: object): AllClaims | undefined => perhaps(request)?.claims;

/** The header of the current token. Throws where there is none. */
export const getJwtHeader = (request?: object): Readonly<JwtHeader> => known(request).header;
/** Like `getJwtHeader`, and `undefined` where there is no token. */
export const tryGetJwtHeader = (request?: object): Readonly<JwtHeader> | undefined => perhaps(request)?.header;

/** The identity of the current token. Throws where there is none. */
export const getJwtIdentity = (request?: object): string => known(request).identity;
/** Like `getJwtIdentity`, and `undefined` where there is no token. */
export const tryGetJwtIdentity = (request?: object): string | undefined => perhaps(request)?.identity;

/** Where the current token was found. Throws where there is none. */
export const getJwtRequestLocation = (request?: object): JwtLocation => known(request).location;
/** Like `getJwtRequestLocation`, and `undefined` where there is no token. */
export const tryGetJwtRequestLocation = (request?: object): JwtLocation | undefined => perhaps(request)?.location;

/** The user that `loaders.userLookup` found for the current token. Throws where there is no token, or no such loader. */
export function getCurrentUser<User = unknown>(request?: object): User {
  const { user } = known(request);
  if (user !== undefined) return user as User;
  const message = "No user was loaded: set loaders.userLookup to have one.";
  return raise(new UsageError("no_auth_context", { message }));
}
/** Like `getCurrentUser`, and `undefined` where there is no token or no loader. */
export const tryGetCurrentUser = <User = unknown>(request?: object): User | undefined =>
  perhaps(request)?.user as User | undefined;
