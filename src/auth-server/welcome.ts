import { databaseName } from "./database-place.ts";
import type { Settings } from "./settings.ts";
import type { Signing } from "./signing.ts";

/** What is to be known at start, in sentences. No secret stands in them. */
export function notices(settings: Settings, { options, developmentFile }: Signing): readonly string[] {
  const { database, redisUrl, loopback, publicOrigin } = settings;
  const where = databaseName(database);
  const lines = [
    redisUrl === undefined
      ? `Users and their sessions are kept in ${where}.`
      : `Users are kept in ${where}, sessions in Redis.`,
  ];
  if (developmentFile !== undefined) {
    lines.push(
      `Tokens are signed with a secret for development, ${developmentFile}: set JWT_SECRET_KEY to use your own.`,
    );
  }
  if (options.cookieSecure === false) {
    lines.push(
      "Cookies are not Secure, as browsers come over plain http on this machine: set PUBLIC_ORIGIN elsewhere.",
    );
  }
  if (!loopback && !publicOrigin?.startsWith("https:")) {
    lines.push(
      "Other machines can reach it: put TLS in front and set PUBLIC_ORIGIN, or passwords travel in clear text.",
    );
  }
  return lines;
}

/** Shell lines that run as they stand, one after the other. */
export function tryLines(url: string): readonly string[] {
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
