import type { AnyClaims, JwtHeader } from "jwt-extended";
import { ERROR_LOADERS } from "./error-callbacks.ts";
import type { JsonObject, KeyReader } from "./format.ts";
import { member } from "./values.ts";

/** What behaviours need beside their arguments. */
export interface Surroundings {
  readonly revoked: ReadonlySet<unknown>;
  readonly key: KeyReader;
}

type Header = Readonly<JwtHeader>;
type Behaviour = (...args: never[]) => unknown;
type Behaviours = Readonly<Record<string, Behaviour>>;

const DIFFERENT = "different-secret-0123456789abcdefghijklmnopqrstuvwxyz-0123456789ABCDEF";
const TENANTS = new Map([
  ["acme", "acme-tenant-secret-0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABC"],
  ["globex", "globex-tenant-secret-0123456789abcdefghijklmnopqrstuvwxyz-0123456789-A"],
]);
const UNKNOWN_TENANT = "unknown-tenant-secret-0123456789abcdefghijklmnopqrstuvwxyz-0123456789-";
const KID_1 = "kid-one-secret-0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFG";
const KIDS = new Map<unknown, string>([
  ["key-1", KID_1],
  ["key-2", "kid-two-secret-0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFG"],
]);
const UNKNOWN_KID = "kid-unknown-secret-0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABC";
const USERS = new Map<unknown, JsonObject>([
  ["1", { id: 1, username: "alice" }],
  ["2", { id: 2, username: "bob" }],
  ["zoë", { id: 3, username: "Zoë Ünïcode" }],
]);

function needed(identity: unknown, name: string): unknown {
  if (typeof identity !== "object" || identity === null || !Object.hasOwn(identity, name)) {
    throw new Error(`the identity has no member ${name}`);
  }
  return (identity as Record<string, unknown>)[name];
}

function tenantOf(identity: unknown): string {
  if (typeof identity !== "string") throw new Error("the identity is no text");
  return identity.split(":")[0] ?? "";
}

const mustNotRun = (): never => {
  throw new Error("this loader must not run");
};

const BEHAVIOURS: Readonly<Record<string, (around: Surroundings) => Behaviours>> = {
  user_identity_loader: () => ({
    id_as_string: (identity: unknown) => String(needed(identity, "id")),
    username_field: (identity: unknown) => needed(identity, "username"),
    decimal_string: (identity: unknown) => String(identity),
    constant_alice: () => "alice",
    id_raw: (identity: unknown) => needed(identity, "id"),
  }),
  user_lookup_loader: () => ({
    users_by_id: (_: Header, claims: AnyClaims) => USERS.get(member(claims, "sub")) ?? null,
    always_null: () => null,
    zero: () => 0,
    false: () => false,
    empty_string: () => "",
    echo_sub: (_: Header, claims: AnyClaims) => ({ username: member(claims, "sub") }),
    echo_header_and_claims: (header: Header, claims: AnyClaims) => ({
      alg: member(header, "alg"),
      type: member(claims, "type"),
      jti: member(claims, "jti"),
    }),
    must_not_run: mustNotRun,
  }),
  additional_claims_loader: () => ({
    foo_bar: () => ({ foo: "bar" }),
    default_value: () => ({ default: "value" }),
    empty: () => ({}),
    role_by_identity: (identity: unknown) => ({ role: identity === "1" ? "admin" : "user" }),
    username_claim: (identity: unknown) => ({ username: needed(identity, "username") }),
    raw_identity: (identity: unknown) => ({ raw_identity: identity }),
    reserved: () => ({ type: "custom", iss: "loader-issuer", fresh: true }),
  }),
  additional_headers_loader: () => ({
    foo_bar: () => ({ foo: "bar" }),
    ping_pong: () => ({ ping: "pong" }),
    kid_by_identity: (identity: unknown) => ({ kid: `key-${identity}` }),
    empty: () => ({}),
  }),
  token_in_blocklist_loader: ({ revoked }) => ({
    revoked_set: (_: Header, claims: AnyClaims) => revoked.has(member(claims, "jti")),
    always: () => true,
    never: () => false,
    refresh_only: (_: Header, claims: AnyClaims) => member(claims, "type") === "refresh",
    by_kid: (header: Header) => member(header, "kid") === "revoked-key",
    must_not_run: mustNotRun,
  }),
  token_verification_loader: () => ({
    accept: () => true,
    reject: () => false,
    admin_role: (_: Header, claims: AnyClaims) => member(claims, "role") === "admin",
    kid_required: (header: Header) => Object.hasOwn(header, "kid"),
    null: () => null,
    must_not_run: mustNotRun,
  }),
  encode_key_loader: ({ key }) => ({
    different_secret: () => DIFFERENT,
    tenant_secret: (identity: unknown) => {
      const secret = TENANTS.get(tenantOf(identity));
      if (secret === undefined) throw new Error("unknown tenant");
      return secret;
    },
    kid_1_secret: () => KID_1,
    rsa2_private: () => key("rsa2.private.pem"),
  }),
  decode_key_loader: ({ key }) => ({
    different_secret: () => DIFFERENT,
    tenant_secret: (_: Header, claims: AnyClaims) => {
      const sub = member(claims, "sub");
      return (typeof sub === "string" && TENANTS.get(tenantOf(sub))) || UNKNOWN_TENANT;
    },
    secret_by_kid: (header: Header) => KIDS.get(member(header, "kid")) ?? UNKNOWN_KID,
    rsa_by_kid: (header: Header) => key(member(header, "kid") === "rsa-2" ? "rsa2.public.pem" : "rsa1.public.pem"),
    must_not_run: mustNotRun,
  }),
};

/** Flask's loader names without `_loader`, in camel case. */
const camel = (name: string): string =>
  name.replace(/_loader$/, "").replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Builds the loaders of a scenario (SPEC, section 7). With `late` they answer as promises. */
export function loadersOf(
  callbacks: Readonly<Record<string, string>>,
  around: Surroundings,
  late: boolean,
): Record<string, unknown> {
  const loaders: Record<string, unknown> = {};
  for (const [loader, name] of Object.entries(callbacks)) {
    const behaviours: Behaviours | undefined = BEHAVIOURS[loader]?.(around) ?? ERROR_LOADERS[loader];
    const behaviour = behaviours && Object.hasOwn(behaviours, name) ? behaviours[name] : undefined;
    if (!behaviour) throw new Error(`unknown behaviour ${loader}: ${name}`);
    loaders[camel(loader)] = late ? async (...args: never[]) => behaviour(...args) : behaviour;
  }
  return loaders;
}
