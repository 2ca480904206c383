import type { Ask } from "./asking.ts";
import { type Finding, fault, ok, skipped } from "./finding.ts";

const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token that nobody signed; whoever takes it takes everything (RFC 8725 §3.1). */
const unsigned = (): string => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: "doctor", type: "access", jti: "doctor", iat: now, exp: now + 60 };
  return `${segment({ alg: "none", typ: "JWT" })}.${segment(claims)}.`;
};

const JSON_ONLY = { Accept: "application/json" };

/** Judges a guarded path: who comes without a token is refused, and told how to come in (RFC 9110 §15.5.2, RFC 6750 §3). */
export async function guardFindings(ask: Ask, path: string): Promise<Finding[]> {
  const bare = await ask(path, { headers: JSON_ONLY });
  if (bare.status === 404)
    return [skipped("guard", `There is nothing at ${path}: name a guarded path with --guarded.`)];
  if (bare.status >= 200 && bare.status < 300) {
    return [fault("guard", `${path} answers without a token.`, "Guard it, or name a guarded path with --guarded.")];
  }
  if (bare.status !== 401) {
    return [
      fault("guard", `${path} answers ${bare.status} without a token instead of 401.`, "Let the guard answer first."),
    ];
  }
  const found: Finding[] = [];
  if (!bare.headers.has("www-authenticate")) {
    const mend = "Send WWW-Authenticate: Bearer; the guards of jwt-extended do, so something in front takes it out.";
    found.push(fault("guard", `The 401 of ${path} lacks WWW-Authenticate.`, mend));
  }
  const forged = await ask(path, { headers: { ...JSON_ONLY, Authorization: `Bearer ${unsigned()}` } });
  if (forged.status >= 200 && forged.status < 300) {
    found.push(
      fault(
        "guard",
        `${path} takes a token that nobody signed.`,
        "Verify tokens, with the algorithm of your key alone.",
      ),
    );
  } else if (forged.status >= 500) {
    found.push(
      fault(
        "guard",
        `${path} answers ${forged.status} to a forged token.`,
        "Refuse it with 401; the log tells what broke.",
      ),
    );
  }
  return found.length > 0 ? found : [ok("guard", `${path} refuses who has no token, and a forged one.`)];
}
