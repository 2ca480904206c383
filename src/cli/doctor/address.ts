import { type Ask, askAt, type Reply, whyNot } from "./asking.ts";
import { cookieFindings } from "./cookies.ts";
import { corsFindings } from "./cors.ts";
import { clockFinding, type Finding, fault, ok, skipped } from "./finding.ts";
import { guardFindings } from "./guarded.ts";
import { headerFindings } from "./headers.ts";
import { jwksFindings } from "./jwks.ts";
import { isLoopback } from "./origin.ts";

/** What the doctor looks at below an address. */
export interface Places {
  /** The page or answer whose headers are judged. */
  readonly address: URL;
  /** The path of a guarded route. */
  readonly guarded: string;
  readonly jwks: string;
  /** Where to log in, and the JSON to send, so that the cookies of a login can be judged. */
  readonly login: { readonly path: string; readonly body: string } | undefined;
}

/** Judges what a running address answers. Each request ends within seconds, and none changes anything but a login. */
export async function examineAddress(places: Places): Promise<readonly Finding[]> {
  const { address } = places;
  const ask = askAt(address);
  let front: Reply;
  try {
    front = await ask(address.href, { headers: { Accept: "text/html" } });
  } catch (error) {
    return [
      fault("address", `It does not answer (${whyNot(error)}).`, "Start it, or mend the address or its certificate."),
    ];
  }
  try {
    const replies: Reply[] = [];
    const noted: Ask = async (path, asked) => {
      const reply = await ask(path, asked);
      replies.push(reply);
      return reply;
    };
    return [
      ...schemeFindings(address),
      ...dateFindings(front),
      ...headerFindings(front, address),
      ...(await guardFindings(noted, places.guarded)),
      ...(await corsFindings(noted, places.guarded, address)),
      ...(await jwksFindings(noted, places.jwks)),
      ...(await loginFindings(noted, places.login)),
      ...setCookieFindings([front, ...replies], address),
    ];
  } catch (error) {
    return [fault("address", `It stopped answering (${whyNot(error)}).`, "Look into its log.")];
  }
}

function schemeFindings(address: URL): Finding[] {
  if (address.protocol === "https:") return [ok("address", "It answers over https, with a certificate that is good.")];
  return isLoopback(address)
    ? [ok("address", "It answers, over http on this machine.")]
    : [fault("address", "It is plain http: whoever is on the way reads tokens and passwords.", "Serve https.")];
}

function dateFindings({ headers, sent, came }: Reply): Finding[] {
  const date = Date.parse(headers.get("date") ?? "");
  if (Number.isNaN(date)) return [skipped("clock", "The answer has no Date header.")];
  if (headers.has("age")) return [skipped("clock", "The answer comes from a cache.")];
  // The header is cut to whole seconds.
  return [clockFinding("the server", (date + 500 - (sent + came) / 2) / 1000, (came - sent) / 2000 + 0.5)];
}

async function loginFindings(ask: Ask, login: Places["login"]): Promise<Finding[]> {
  if (!login) return [skipped("login", "Name --login and --credentials to have the cookies of a login judged.")];
  const { status, headers } = await ask(login.path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: login.body,
  });
  if (status < 200 || status > 299) {
    return [
      fault(
        "login",
        `The login was refused with ${status}.`,
        "Mend the file of --credentials, or the path of --login.",
      ),
    ];
  }
  return /no-store/i.test(headers.get("cache-control") ?? "")
    ? [ok("login", "The login succeeds, and its answer is not cached.")]
    : [fault("login", "The answer of a login may be cached (RFC 6749 §5.1).", "Send Cache-Control: no-store.")];
}

function setCookieFindings(replies: readonly Reply[], address: URL): readonly Finding[] {
  const lines = new Map(
    replies.flatMap(({ cookies }) => cookies).map((line) => [line.split("=", 1)[0], line] as const),
  );
  if (lines.size === 0) return [skipped("cookies", "No answer has set a cookie.")];
  return cookieFindings([...lines.values()], address);
}
