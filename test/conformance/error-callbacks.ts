import type { AnyClaims, JwtHeader } from "jwt-extended";
import type { Json } from "./format.ts";
import { member } from "./values.ts";

/** The answer of an error loader, as the library takes it. */
interface Reply {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Json;
}

type Header = Readonly<JwtHeader>;

const reply = (status: number, body: Json): Reply => ({ status, headers: [], body });
const TEAPOT = 418;

/** A teapot that shows these claims, `alg` of the header among them. */
const teapot =
  (err: string, names: readonly string[]) =>
  (header: Header, claims: AnyClaims): Reply =>
    reply(TEAPOT, {
      err,
      ...Object.fromEntries(names.map((name) => [name, member(name === "alg" ? header : claims, name)])),
    });
const reasonTeapot =
  (err: string) =>
  (reason: string): Reply =>
    reply(TEAPOT, { err, reason });
const foobar = (): Reply => reply(201, { msg: "foobar" });

/** The error loaders of SPEC, section 7: loader, behaviour. */
export const ERROR_LOADERS: Readonly<Record<string, Readonly<Record<string, (...args: never[]) => Reply>>>> = {
  expired_token_loader: { teapot: teapot("expired", ["sub", "type", "jti", "alg"]), created: foobar },
  invalid_token_loader: {
    teapot: reasonTeapot("invalid"),
    created: foobar,
    unauthorized_401: () => reply(401, { err: "invalid" }),
  },
  unauthorized_loader: {
    teapot: reasonTeapot("unauthorized"),
    created: foobar,
    redirect: () => ({ status: 302, headers: [["Location", "/login"]] }),
    challenge: (reason: string) => ({
      status: 401,
      headers: [["WWW-Authenticate", 'Bearer realm="conformance"']],
      body: { err: "unauthorized", reason },
    }),
  },
  needs_fresh_token_loader: { teapot: teapot("needs_fresh", ["sub", "fresh", "alg"]), created: foobar },
  revoked_token_loader: {
    teapot: teapot("revoked", ["sub", "jti", "alg"]),
    not_found: () => reply(404, { baz: "foo" }),
  },
  token_verification_failed_loader: {
    teapot: teapot("verification_failed", ["sub", "alg"]),
    claims_failed_404: (_: Header, claims: AnyClaims) =>
      reply(404, { msg: `claims failed for ${member(claims, "sub")}` }),
  },
  user_lookup_error_loader: {
    teapot: teapot("no_user", ["sub", "alg"]),
    created: () => reply(201, { foo: "bar" }),
  },
};

/** What a token that is invalid is answered with: 422, or the status of the behaviour that replaces it. */
export function invalidStatus(behaviour: string | undefined): number {
  if (behaviour === "teapot") return TEAPOT;
  if (behaviour === "created") return 201;
  return behaviour === "unauthorized_401" ? 401 : 422;
}
