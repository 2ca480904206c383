import type { Signing } from "./secret.ts";
import type { Settings } from "./settings.ts";

/** What is printed at start: the address, what to know, and lines to try it with. No secret stands in it. */
export function welcome(url: string, settings: Settings, signing: Signing, hasAdministrator: boolean): string {
  const lines = [`Listening on ${url}`];
  if (signing.developmentFile !== undefined) {
    lines.push(
      `Tokens are signed with a secret for development, ${signing.developmentFile}: set JWT_SECRET_KEY to use your own.`,
    );
  }
  if (!settings.loopback)
    lines.push("Other machines can reach it: put TLS in front, or passwords travel in clear text.");
  lines.push(`Users and their sessions are kept in ${settings.databaseFile}.`);
  if (!hasAdministrator) {
    lines.push("There is no administrator yet: start once with ADMIN_USERNAME and ADMIN_PASSWORD set to make one.");
  }
  return [...lines, "", "Try it from another terminal:", "", ...tryLines(url).map((line) => `  ${line}`), ""].join(
    "\n",
  );
}

/** Shell lines that run as they stand, one after the other. */
function tryLines(url: string): string[] {
  const body = `-H 'Content-Type: application/json' -d '{"username":"alice","password":"correct horse battery staple"}'`;
  const member = (name: string): string => `$(printf %s "$TOKENS" | sed 's/.*"${name}":"\\([^"]*\\)".*/\\1/')`;
  return [
    `curl -s ${url}/register ${body}`,
    `TOKENS=$(curl -s ${url}/login ${body})`,
    `ACCESS=${member("access_token")}`,
    `REFRESH=${member("refresh_token")}`,
    `curl -s ${url}/protected -H "Authorization: Bearer $ACCESS"`,
    `curl -s ${url}/admin -H "Authorization: Bearer $ACCESS"`,
    `curl -s -X POST ${url}/refresh -H "Authorization: Bearer $REFRESH"`,
    `curl -s -i -X POST ${url}/logout -H "Authorization: Bearer $ACCESS"`,
    `curl -s ${url}/protected -H "Authorization: Bearer $ACCESS"`,
  ];
}
