import type { JwtReply } from "../http/types.ts";

const PAGE = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Replaces the policy of data by that of the page: its own scripts and styles, and nothing from elsewhere. */
export const PAGE_POLICY: JwtReply["headers"][number] = ["content-security-policy", PAGE];

const YEAR = 365 * 86_400;

/** What every answer carries. It is data for one client, unless an answer says otherwise. */
export function securityHeaders(publicOrigin: string | undefined): JwtReply["headers"] {
  return [
    ["cache-control", "no-store"],
    ["content-security-policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"],
    ["cross-origin-opener-policy", "same-origin"],
    ["cross-origin-resource-policy", "same-origin"],
    ["permissions-policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"],
    ["referrer-policy", "no-referrer"],
    ["x-content-type-options", "nosniff"],
    ["x-frame-options", "DENY"],
    ...(publicOrigin?.startsWith("https:") ? [["strict-transport-security", `max-age=${YEAR}`] as const] : []),
  ];
}
