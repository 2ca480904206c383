import {
  fromFlaskConfig,
  getCurrentUser,
  getJwt,
  getJwtHeader,
  getJwtIdentity,
  JWTManager,
  tryGetJwtRequestLocation,
} from "jwt-extended";
import type { AnyManager, CookieSettings, TestAnswer, TestRoute, TestTools } from "../support/harness/types.ts";
import { loadersOf } from "./callbacks.ts";
import { type KeyReader, resolveConfig, type Scenario } from "./format.ts";
import { guardedRoutes } from "./guarded-routes.ts";
import { ALL_METHODS } from "./guards.ts";

type Body = Readonly<Record<string, unknown>>;

/** One instance of the application of SPEC, section 5. */
export interface Application {
  readonly manager: AnyManager;
  readonly routes: readonly TestRoute[];
}

/** Builds a new application. `now` is the clock in seconds; with `late`, callbacks answer as promises. */
export function createApplication(
  scenario: Pick<Scenario, "config" | "callbacks">,
  key: KeyReader,
  now: () => number,
  late: boolean,
): Application {
  const revoked = new Set<unknown>();
  const manager: AnyManager = new JWTManager({
    ...fromFlaskConfig(resolveConfig(scenario.config, key)),
    loaders: loadersOf(scenario.callbacks, { revoked, key }, late),
    clock: () => now() * 1000,
    ambientContext: true,
    warn: () => {},
  });
  const hasUsers = Object.hasOwn(scenario.callbacks, "user_lookup_loader");
  return {
    manager,
    routes: [
      ...guardedRoutes(manager, hasUsers),
      ...readingRoutes(manager),
      ...writingRoutes(manager),
      ...revokingRoutes(revoked),
      implicitRefresh(manager, now),
    ],
  };
}

/** The members of an object that are there and not null, under other names. */
function given(body: Body, names: Readonly<Record<string, string>>): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [theirs, ours] of Object.entries(names)) {
    const value = Object.hasOwn(body, theirs) ? body[theirs] : undefined;
    if (value !== undefined && value !== null) result[ours] = value;
  }
  return result;
}

const bodyOf = async (tools: TestTools): Promise<Body> => (await tools.body()) as Body;

function readingRoutes(manager: AnyManager): TestRoute[] {
  const verify =
    (optional: boolean) =>
    async (tools: TestTools): Promise<TestAnswer> => {
      const auth = optional ? await tools.verifyRequest({ optional }) : await tools.verifyRequest();
      return { json: { result: auth.claims === null ? null : { header: auth.header, claims: auth.claims } } };
    };
  const doors: Readonly<Record<string, () => unknown>> = {
    claims: getJwt,
    header: getJwtHeader,
    identity: getJwtIdentity,
    user: getCurrentUser,
    // Outside of a guard the recorded library gives no location instead of an error: that is our "try" form.
    location: () => tryGetJwtRequestLocation() ?? null,
  };
  return [
    { methods: ALL_METHODS, path: "/verify", handler: verify(false) },
    { methods: ALL_METHODS, path: "/verify-optional", handler: verify(true) },
    { methods: ALL_METHODS, path: "/open", handler: () => ({ json: { open: true } }) },
    {
      methods: ["GET"],
      path: "/unprotected-context",
      handler: (tools) => ({ json: { value: doors[tools.query.get("call") ?? "claims"]?.() ?? null } }),
    },
    {
      methods: ["POST"],
      path: "/decode",
      handler: async (tools) => {
        const body = await bodyOf(tools);
        const options = given(body, { csrf_value: "csrf", allow_expired: "allowExpired" });
        return { json: { claims: await manager.decodeToken(body.token as string, options) } };
      },
    },
    {
      methods: ["POST"],
      path: "/inspect",
      handler: async (tools) => {
        const body = await bodyOf(tools);
        const token = body.token as string;
        const what = (body.what as string[] | undefined) ?? ["header", "jti", "csrf"];
        const json: Record<string, unknown> = {};
        if (what.includes("header")) json.header = manager.getUnverifiedHeader(token);
        if (what.includes("jti")) json.jti = (await manager.getJti(token)) ?? null;
        if (what.includes("csrf")) json.csrf = (await manager.getCsrfToken(token)) ?? null;
        return { json };
      },
    },
  ];
}

function writingRoutes(manager: AnyManager): TestRoute[] {
  const cookieSettings = (body: Body): CookieSettings => given(body, { max_age: "maxAge", domain: "domain" });
  return [
    {
      methods: ["POST"],
      path: "/mint",
      handler: async (tools) => {
        const body = await bodyOf(tools);
        const refresh = body.type === "refresh";
        const options = {
          // A freshness of null is kept apart from one that is absent.
          ...(!refresh && Object.hasOwn(body, "fresh") ? { fresh: body.fresh } : {}),
          ...given(body, { expires_delta: "expires", additional_claims: "claims", additional_headers: "headers" }),
        };
        const identity = body.identity ?? null;
        const token: string = refresh
          ? await manager.createRefreshToken(identity, options as object)
          : await manager.createAccessToken(identity, options as object);
        if (body.set_cookies === true) {
          if (refresh) await tools.setRefreshCookies(token, cookieSettings(body));
          else await tools.setAccessCookies(token, cookieSettings(body));
        }
        return { json: { token } };
      },
    },
    {
      methods: ["POST"],
      path: "/unset",
      handler: async (tools) => {
        const body = await bodyOf(tools);
        const settings = cookieSettings({ domain: body.domain });
        if (body.which === "access") await tools.unsetAccessCookies(settings);
        else if (body.which === "refresh") await tools.unsetRefreshCookies(settings);
        else await tools.unsetJwtCookies(settings);
        return { json: { unset: body.which } };
      },
    },
    {
      methods: ["POST"],
      path: "/exchange",
      guard: { refresh: true },
      handler: async () => ({ json: { token: await manager.createAccessToken(getJwtIdentity()) } }),
    },
  ];
}

function revokingRoutes(revoked: Set<unknown>): TestRoute[] {
  return [
    {
      methods: ["POST"],
      path: "/revoke",
      handler: async (tools) => {
        const { jti } = await bodyOf(tools);
        revoked.add(jti);
        return { json: { revoked: jti } };
      },
    },
    {
      methods: ["POST", "DELETE"],
      path: "/logout",
      guard: { verifyType: false },
      handler: (tools) => {
        const { claims } = tools.getAuth();
        revoked.add(claims.jti);
        return { json: { revoked: claims.type } };
      },
    },
  ];
}

function implicitRefresh(manager: AnyManager, now: () => number): TestRoute {
  return {
    methods: ["GET", "POST"],
    path: "/implicit-refresh",
    guard: {},
    handler: async (tools) => {
      const { identity, claims } = tools.getAuth();
      const exp = claims.exp ?? null;
      if (exp !== null && now() + 1800 > exp) await tools.setAccessCookies(await manager.createAccessToken(identity));
      return { json: { identity, exp } };
    },
  };
}
