import { MAX_COOKIE_BYTES } from "../../http/cookies.ts";
import { broken, type Finding, fault, orOk, warning } from "./finding.ts";
import { isLoopback } from "./origin.ts";

interface Cookie {
  readonly name: string;
  readonly value: string;
  /** The value of an attribute, `""` for one without, `undefined` where it is absent. */
  attribute(name: string): string | undefined;
}

function parse(line: string): Cookie {
  const [pair = "", ...rest] = line.split(";").map((part) => part.trim());
  const split = (text: string): readonly [string, string] => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  };
  const [name, value] = split(pair);
  const attributes = new Map(rest.map(split).map(([key, text]) => [key.toLowerCase(), text]));
  return { name, value, attribute: (key) => attributes.get(key.toLowerCase()) };
}

/** A token by its look, or a login by its name; values for scripts to read, such as those against CSRF, are none. */
const isLogin = ({ name, value }: Cookie): boolean =>
  /^[\w-]+\.[\w-]+\.[\w-]*$/.test(value) || (/token|session|sid|jwt|auth/i.test(name) && !/[cx]srf/i.test(name));

/** Judges `Set-Cookie` lines as a browser at `origin` would, and as an attacker would. No value of a cookie is repeated. */
export const cookieFindings = (lines: readonly string[], origin: URL): readonly Finding[] =>
  lines.flatMap((line) => {
    const cookie = parse(line);
    const check = `cookie ${cookie.name}`;
    return orOk(
      [...kept(cookie, origin, check), ...guarded(cookie, origin, check)],
      check,
      "Its flags fit the origin.",
    );
  });

/** What makes browsers drop a cookie, or send it where it must not go (RFC 6265bis §4.1, §5.7). */
function kept(cookie: Cookie, origin: URL, check: string): readonly Finding[] {
  const { name, value, attribute } = cookie;
  const secure = attribute("secure") !== undefined;
  const mayBePlain = origin.protocol === "http:" && isLoopback(origin);
  const hostOnly = attribute("domain") === undefined && attribute("path") === "/";
  const isLost = (/^__host-/i.test(name) && !(secure && hostOnly)) || (/^__secure-/i.test(name) && !secure);
  return broken([
    [
      secure && origin.protocol === "http:" && !mayBePlain,
      fault(check, `It is Secure, and ${origin.origin} is plain http: browsers drop it.`, "Serve https."),
    ],
    [
      !secure && !mayBePlain,
      fault(check, "It lacks Secure: it also travels in clear text.", "Leave JWT_COOKIE_SECURE out, and serve https."),
    ],
    [
      attribute("samesite")?.toLowerCase() === "none" && !secure,
      fault(check, "It has SameSite=None without Secure: browsers drop it.", "Set it with Secure."),
    ],
    [
      isLost,
      fault(
        check,
        "Its prefix is not kept: browsers drop it.",
        "__Host- takes Secure, Path=/ and no Domain; __Secure- takes Secure. Or leave the prefix out of the name.",
      ),
    ],
    [
      Buffer.byteLength(name + value) > MAX_COOKIE_BYTES,
      fault(check, `It is longer than ${MAX_COOKIE_BYTES} bytes: browsers drop it.`, "Put less into the token."),
    ],
    ...domainRule(attribute("domain"), origin, check),
  ]);
}

function domainRule(attribute: string | undefined, { hostname }: URL, check: string) {
  if (attribute === undefined) return [];
  const domain = attribute.replace(/^\./, "").toLowerCase();
  const mend = "Leave JWT_COOKIE_DOMAIN out, unless several hosts of yours need the cookie.";
  const isOurs = hostname === domain || hostname.endsWith(`.${domain}`);
  const isTaken = domain.includes(".") && !/^[\d.]+$/.test(domain);
  const wide = `It has a Domain: every host below ${domain} gets it, and can overwrite it.`;
  if (isOurs && isTaken) return [[true, warning(check, wide, mend)]] as const;
  const why = isOurs ? "is no domain that browsers take" : `is none of ${hostname}`;
  return [[true, fault(check, `Its Domain ${why}: browsers drop it.`, mend)]] as const;
}

/** What keeps the cookie of a login from scripts and from other sites. */
function guarded(cookie: Cookie, origin: URL, check: string): readonly Finding[] {
  if (!isLogin(cookie)) return [];
  const sameSite = cookie.attribute("samesite")?.toLowerCase();
  return broken([
    [
      cookie.attribute("httponly") === undefined,
      fault(check, "It lacks HttpOnly: a script that was injected into a page can read it.", "Set it with HttpOnly."),
    ],
    [
      sameSite === undefined,
      fault(check, "It lacks SameSite: what browsers then do differs.", "Set JWT_COOKIE_SAMESITE=Lax."),
    ],
    [
      sameSite === "none",
      warning(
        check,
        "It has SameSite=None: requests of every site carry it.",
        "Set JWT_COOKIE_SAMESITE=Lax, unless pages of other sites use it.",
      ),
    ],
    [
      origin.protocol === "https:" && !/^__(host|secure)-/i.test(cookie.name),
      warning(check, "Its name has no prefix: a sub-domain can put another in its place.", "Name it with __Host-."),
    ],
  ]);
}
