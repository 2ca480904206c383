import type { Ask, Reply } from "./asking.ts";
import { type Finding, fault, ok, warning } from "./finding.ts";

/** Origins that nobody would list: another site, ones that look like ours to a careless comparison, and none. */
const foreignTo = ({ protocol, host, hostname }: URL): readonly string[] => [
  "https://foreign.example",
  `${protocol}//${hostname}.foreign.example`,
  `${protocol}//foreign${host}`,
  "null",
];

/** Judges what an address tells the browsers of foreign pages (Fetch standard, CORS protocol). */
export async function corsFindings(ask: Ask, path: string, address: URL): Promise<Finding[]> {
  for (const origin of foreignTo(address)) {
    const preflight = {
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "authorization",
    };
    const replies = [
      await ask(path, { headers: { Origin: origin } }),
      await ask(path, { method: "OPTIONS", headers: preflight }),
    ];
    const found = replies.map((reply) => judge(reply, origin)).find((finding) => finding !== undefined);
    if (found) return [found];
  }
  return [ok("cors", "Pages of foreign origins cannot read answers.")];
}

function judge({ headers }: Reply, origin: string): Finding | undefined {
  const allowed = headers.get("access-control-allow-origin");
  const withCookies = headers.get("access-control-allow-credentials") === "true";
  if (allowed === null || (allowed !== origin && allowed !== "*")) return undefined;
  const mend = "Name the origins of your own pages, and compare them whole.";
  if (allowed === "*") {
    return withCookies
      ? fault(
          "cors",
          "Access-Control-Allow-Origin is * with credentials: browsers refuse that, and it is meant too widely.",
          mend,
        )
      : warning("cors", "Pages of every origin can read answers, those with a bearer token included.", mend);
  }
  return withCookies
    ? fault("cors", `Pages of the origin ${origin} can act and read with the cookies of your users.`, mend)
    : warning("cors", `Pages of the origin ${origin} can read answers.`, mend);
}
