import { statSync } from "node:fs";
import { type Environment, readEnvironment } from "../../auth-server/environment.ts";
import { fromEnv, inVariables } from "../../config/flask-names.ts";
import type { JwtOptions } from "../../config/options.ts";
import { isGuessable } from "../../config/production.ts";
import { ConfigError } from "../../errors.ts";
import { JWTManager } from "../../manager.ts";
import { cookieFindings } from "./cookies.ts";
import { type Finding, fault, ok, orOk, skipped, warning } from "./finding.ts";
import { isLoopback, webAddress } from "./origin.ts";

/** The variables, with the content of files in place of their names, and what was found in them. */
export interface Configuration {
  readonly env: Environment;
  readonly findings: readonly Finding[];
}

const NEW_SECRET = "Make one with npx jwt-extended secret, and set JWT_SECRET_KEY_FILE to its file.";

/** Judges the variables `JWT_…` and `PUBLIC_ORIGIN`, and the files that they name. Nothing is opened or made. */
export async function examineConfiguration(given: Environment): Promise<Configuration> {
  const unread: string[] = [];
  const env = readEnvironment(given, unread);
  const findings = [...unread.map((line) => fault("files", line)), ...openFiles(given)];
  // PUBLIC_ORIGIN is a word of serve, which takes tokens from both.
  const options: JwtOptions = {
    ...(env.PUBLIC_ORIGIN ? { tokenLocation: ["headers", "cookies"] } : {}),
    ...fromEnv(env),
  };
  const origin = env.PUBLIC_ORIGIN ? webAddress(env.PUBLIC_ORIGIN) : undefined;
  if (env.PUBLIC_ORIGIN && origin?.origin !== env.PUBLIC_ORIGIN) {
    findings.push(
      fault("origin", "PUBLIC_ORIGIN is no origin.", "Write it as https://auth.example.com, without a path."),
    );
  }
  findings.push(...secretFindings(options));
  const manager = managerIn(options, findings);
  if (manager) {
    findings.push(...lifetimeFindings(manager), ...placeFindings(manager));
    findings.push(...(await cookiesOf(manager, origin)));
  }
  return { env, findings };
}

/** Files of secrets that others on this machine can read. Those that Docker and Kubernetes mount are meant to be so. */
function openFiles(env: Environment): Finding[] {
  return Object.entries(env).flatMap(([name, path]) => {
    if (!name.endsWith("_FILE") || !path || !/^(JWT_|ADMIN_|DATABASE_URL|REDIS_URL)/.test(name)) return [];
    if (name === "JWT_PUBLIC_KEY_FILE" || /^\/(var\/)?run\/secrets\//.test(path) || process.platform === "win32")
      return [];
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) === 0) return [];
    return [warning("files", `Other users of this machine can read the file of ${name}.`, "chmod 600 it.")];
  });
}

/** Bits that are hardly any for a secret: what is guessed by trying needs at least 128 (RFC 8725 §3.5). */
const LEAST_BITS = 128;

function secretFindings({ secretKey }: JwtOptions): Finding[] {
  if (typeof secretKey !== "string") return [];
  const bits = Math.floor(variety(secretKey));
  if (isGuessable(secretKey) || bits < LEAST_BITS) {
    return [fault("secret", "The secret can be guessed: it was typed rather than drawn.", NEW_SECRET)];
  }
  return [ok("secret", "The secret is long, and of many different characters.")];
}

/** How many bits a text holds at most, judged by how often each character comes (Shannon). */
function variety(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - count * Math.log2(count / text.length), 0);
}

function managerIn(options: JwtOptions, findings: Finding[]): JWTManager | undefined {
  const warned: string[] = [];
  try {
    const manager = new JWTManager({ ...options, store: null, warn: (line) => warned.push(line) });
    findings.push(...warned.map((line) => warning("options", line, "See docs/options.md.")));
    findings.push(ok("options", "Every option is known, and they fit each other."));
    return manager as JWTManager;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What can be guessed was said, in all environments.
    const told = error.faults.filter((line) => !line.includes("can be guessed"));
    findings.push(...told.map((line) => fault("options", inVariables(line))));
    return undefined;
  }
}

function lifetimeFindings({ config }: JWTManager): Finding[] {
  const { access, refresh } = config.lifetimes;
  const long = (seconds: number | false, most: number): boolean => seconds === false || seconds > most;
  const found: Finding[] = [];
  if (long(access.expires, 3600)) {
    found.push(
      warning(
        "lifetimes",
        "Access tokens live longer than an hour: a stolen one does, too.",
        "Set JWT_ACCESS_TOKEN_EXPIRES=15m.",
      ),
    );
  }
  if (long(refresh.expires, 90 * 86_400)) {
    found.push(warning("lifetimes", "Refresh tokens live longer than 90 days.", "Set JWT_REFRESH_TOKEN_EXPIRES=30d."));
  }
  return found;
}

function placeFindings({ config }: JWTManager): Finding[] {
  const found: Finding[] = [];
  const { locations, csrf, cookies } = config;
  if (locations.includes("query_string")) {
    found.push(
      warning(
        "locations",
        "Tokens are taken from the address: they stand in logs and histories.",
        "Leave query_string out of JWT_TOKEN_LOCATION.",
      ),
    );
  }
  if (!locations.includes("cookies")) return found;
  if (!csrf.protect && cookies.sameSite !== "Strict") {
    found.push(
      fault(
        "csrf",
        "Cookies are taken without any proof of where a request comes from.",
        "Leave JWT_COOKIE_CSRF_PROTECT out.",
      ),
    );
  }
  const missing = ["POST", "PUT", "PATCH", "DELETE"].filter((method) => csrf.methods?.includes(method) === false);
  if (csrf.protect && missing.length > 0) {
    found.push(fault("csrf", `Requests of ${missing.join(", ")} need no CSRF value.`, "Leave JWT_CSRF_METHODS out."));
  }
  return found;
}

/** The very lines that a login would send, judged as a browser at the origin does. */
async function cookiesOf(manager: JWTManager, origin: URL | undefined): Promise<readonly Finding[]> {
  const { locations, mintsTokens } = manager.config;
  if (!locations.includes("cookies")) return [skipped("cookies", "JWT_TOKEN_LOCATION names no cookies.")];
  if (!mintsTokens) return [skipped("cookies", "This service makes no tokens, and sets no cookies.")];
  if (!origin)
    return [skipped("cookies", "Set PUBLIC_ORIGIN, such as https://auth.example.com, to have their flags judged.")];
  const tokens = {
    access: await manager.createAccessToken("doctor"),
    refresh: await manager.createRefreshToken("doctor"),
  };
  const both = await Promise.all([
    manager.cookieHeaders("access", tokens.access),
    manager.cookieHeaders("refresh", tokens.refresh),
  ]);
  const lines = both.flat().flatMap(([name, value]) => (name.toLowerCase() === "set-cookie" ? [value] : []));
  const found = cookieFindings(lines, origin).filter(({ level }) => level !== "ok");
  const plain = origin.protocol === "http:" && !isLoopback(origin);
  const clear = plain
    ? [
        fault(
          "origin",
          "PUBLIC_ORIGIN is plain http: whoever is on the way reads tokens and passwords.",
          "Serve https.",
        ),
      ]
    : [];
  return [...orOk(found, "cookies", `Their flags fit ${origin.origin}.`), ...clear];
}
