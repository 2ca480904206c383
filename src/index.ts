export type { DpopOptions } from "./config/dpop.ts";
export { fromEnv, fromFlaskConfig } from "./config/flask-names.ts";
export type { LoaderClaims, LoaderReply, Loaders, ReasonErrorLoader, TokenErrorLoader } from "./config/loaders.ts";
export type { CsrfMode, JwtOptions, LegacyCookie, VerifyCacheOptions } from "./config/options.ts";
export type { StandardSchema } from "./config/schema.ts";
export {
  getCurrentUser,
  getJwt,
  getJwtHeader,
  getJwtIdentity,
  getJwtRequestLocation,
  tryGetCurrentUser,
  tryGetJwt,
  tryGetJwtHeader,
  tryGetJwtIdentity,
  tryGetJwtRequestLocation,
} from "./context/accessors.ts";
export type { Algorithm } from "./crypto/algorithms.ts";
export type { JwkSet, KeyMaterial } from "./crypto/keys.ts";
export {
  AccountError,
  ConfigError,
  CsrfError,
  DpopError,
  ERROR_CODES,
  ExpiredTokenError,
  ForbiddenError,
  InvalidClaimsError,
  InvalidRequestError,
  InvalidTokenError,
  isJwtError,
  JwtError,
  type JwtErrorCode,
  NotFreshError,
  RevokedTokenError,
  StoreUnavailableError,
  UnauthorizedError,
  UsageError,
  UserLookupError,
} from "./errors.ts";
export type { EventClient, EventSubject, JwtEventName, JwtEvents, JwtListener } from "./events.ts";
export type { JwtReply, JwtRequest, ReadBody, Route } from "./http/types.ts";
export {
  type ClientInfo,
  type CookieSettings,
  type DecodeOptions,
  JWTManager,
  type PairOptions,
  type RenewOptions,
  type SendTokensOptions,
  type SessionInfo,
  type TokenOptions,
} from "./manager.ts";
export { instrument, type ManagerStats, type Meter } from "./metrics.ts";
export { jwtRoutes, type RouteOptions } from "./routes/index.ts";
export type {
  EndReason,
  FeedEntry,
  FeedTip,
  Limits,
  LiveEntry,
  LivePage,
  NewSession,
  Presented,
  Revocation,
  RevocationFeed,
  RevocationQuery,
  Rotation,
  SessionRow,
  StoreNotice,
  TokenStore,
} from "./stores/contract.ts";
export { type MemoryStoreOptions, memoryStore } from "./stores/memory.ts";
export {
  type PartitionStatus,
  type ReplicaOptions,
  type ReplicaStatus,
  type ReplicatedStore,
  replicatedStore,
} from "./stores/replica/replica.ts";
export type {
  Anonymous,
  AnyClaims,
  AuthContext,
  Duration,
  GuardedRequest,
  GuardOptions,
  JwtHeader,
  JwtLocation,
  MaybePromise,
  RegisteredClaims,
  TokenPair,
  TokenType,
  Wanted,
} from "./types.ts";
