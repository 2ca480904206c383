import type { KindNames } from "../config/cookies.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { CsrfError, InvalidRequestError, type JwtError } from "../errors.ts";
import type { JwtRequest, ReadBody } from "../http/types.ts";
import type { MaybePromise } from "../types.ts";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether a request that comes with a token cookie must prove where it comes from. Override headers never count. */
export function needsCsrf(request: JwtRequest, config: ResolvedConfig): boolean {
  if (!config.csrf.protect) return false;
  const method = request.method.toUpperCase();
  return config.csrf.methods ? config.csrf.methods.includes(method) : !SAFE_METHODS.has(method);
}

/**
 * Holds a cookie request against `Sec-Fetch-Site`, and where a browser sends none against `Origin`. A page of another
 * origin passes only if it is listed; a request with neither header only where a CSRF value is demanded on top.
 */
export function refusedOrigin(request: JwtRequest, config: ResolvedConfig): CsrfError | undefined {
  if (!config.behaviour.checkOrigin) return undefined;
  const [origin, second] = request.header("origin");
  if (second !== undefined || origin === "null") return foreign("Origin is null, or stands twice");
  const [site] = request.header("sec-fetch-site");
  if (site !== undefined) {
    if (site === "same-origin" || site === "none") return undefined;
    return origin !== undefined && config.csrf.trustedOrigins.includes(origin)
      ? undefined
      : foreign(`Sec-Fetch-Site is not same-origin, and Origin is not in trustedOrigins`);
  }
  if (origin === undefined) {
    return config.csrf.mode === "fetch-metadata" ? foreign("neither Sec-Fetch-Site nor Origin came") : undefined;
  }
  if (config.csrf.trustedOrigins.includes(origin)) return undefined;
  const own = config.csrf.publicOrigin;
  if (own !== undefined)
    return origin === own ? undefined : foreign("Origin is neither publicOrigin nor in trustedOrigins");
  const [host] = request.header("host");
  // The scheme is unknown behind a proxy, so only what follows it is compared.
  const matches = host !== undefined && (origin === `https://${host}` || origin === `http://${host}`);
  return matches ? undefined : foreign("Origin is not this host; behind a proxy that rewrites Host set publicOrigin");
}

const foreign = (detail: string): CsrfError => new CsrfError("csrf_origin", { detail });

/** The value that a page submitted, from the header or the form field of this kind; exactly one. */
export function submittedValue(
  request: JwtRequest,
  config: ResolvedConfig,
  kind: KindNames,
): MaybePromise<string | JwtError> {
  const lines = request.header(kind.csrfHeader);
  if (lines.length > 1) return new CsrfError("csrf_mismatch", { detail: "the CSRF header stands twice" });
  if (lines[0]) return lines[0];
  if (!config.csrf.checkForm) return missing(config, kind);
  return request.body().then((body: ReadBody) => {
    if (body.kind === "none" && body.why === "too_large") return new InvalidRequestError("body_too_large");
    return (body.kind === "form" && body.first(kind.csrfFieldName)) || missing(config, kind);
  });
}

function missing(config: ResolvedConfig, kind: KindNames): CsrfError {
  return new CsrfError("csrf_missing", {
    message: config.behaviour.messages.csrfMissing(
      kind.csrfHeaderName,
      config.csrf.inCookies ? kind.csrfCookieName : undefined,
      config.csrf.checkForm ? kind.csrfFieldName : undefined,
    ),
  });
}
