import type { ResolvedConfig } from "../config/resolve.ts";
import type { JwtRequest } from "../http/types.ts";

const warned = new WeakSet<ResolvedConfig>();

/**
 * Says once that Safari drops `Secure` cookies on http://localhost (WebKit bug 281149), where the login only seems to work.
 * Chromium, Firefox and curl keep them.
 */
export function warnSafari(cookie: string, request: JwtRequest | undefined, config: ResolvedConfig): void {
  if (!request || !config.cookies.secure || warned.has(config)) return;
  const [host = ""] = request.header("host");
  const [agent = ""] = request.header("user-agent");
  const isSafari = /Version\/\S+.*Safari\//.test(agent) && !/Chrom(e|ium)\//.test(agent);
  const isPlain =
    /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host) && request.header("x-forwarded-proto").length === 0;
  if (!isSafari || !isPlain) return;
  warned.add(config);
  config.warn(
    `Safari drops the cookie ${cookie} on http://${host.replace(/:\d+$/, "")}: use https there, or cookieSecure: false while developing.`,
  );
}
