import type { Reply } from "./asking.ts";
import { broken, type Finding, fault, orOk, warning } from "./finding.ts";
import { isLoopback } from "./origin.ts";

const HALF_A_YEAR = 15_552_000;
const LETS_SCRIPTS_IN = /(?:script-src|default-src)[^;]*'unsafe-(?:inline|eval)'/;
const check = "headers";

/** Judges the headers that keep a page, and the answers beside it, from being misused. */
export function headerFindings({ headers }: Reply, address: URL): readonly Finding[] {
  const header = (name: string): string => headers.get(name)?.toLowerCase() ?? "";
  const policy = header("content-security-policy");
  const isPage = header("content-type").startsWith("text/html");
  const isPublic = address.protocol === "https:" && !isLoopback(address);
  const age = Number(/max-age="?(\d+)/.exec(header("strict-transport-security"))?.[1] ?? 0);
  const telling = ["x-powered-by", "server"].filter((name) => /\d|express|php|asp/.test(header(name)));
  const found = broken([
    [
      header("x-content-type-options") !== "nosniff",
      fault(check, "X-Content-Type-Options is missing.", "Send X-Content-Type-Options: nosniff."),
    ],
    [
      header("referrer-policy") === "",
      warning(check, "Without Referrer-Policy addresses travel to other sites.", "Send Referrer-Policy: no-referrer."),
    ],
    [
      isPage && policy === "",
      fault(check, "The page has no Content-Security-Policy.", "Send one that names where scripts may come from."),
    ],
    [
      isPage && LETS_SCRIPTS_IN.test(policy) && !/'(?:nonce-|sha\d+-)/.test(policy),
      fault(check, "The Content-Security-Policy lets injected scripts run.", "Take unsafe-inline and unsafe-eval out."),
    ],
    [
      isPage && policy !== "" && !policy.includes("frame-ancestors") && header("x-frame-options") === "",
      fault(check, "Other sites can put the page into a frame.", "Add frame-ancestors 'none' to the policy."),
    ],
    [
      isPublic && age < HALF_A_YEAR,
      fault(
        check,
        `Strict-Transport-Security ${age === 0 ? "is missing" : "lasts less than half a year"}.`,
        "Send Strict-Transport-Security: max-age=31536000.",
      ),
    ],
    [telling.length > 0, warning(check, `${telling.join(" and ")} tells which software runs.`, "Leave it out.")],
  ]);
  return orOk(found, check, "The security headers are there.");
}
