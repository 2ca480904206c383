import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import type { Row } from "./handler.ts";
import type { Manager } from "./manager.ts";
import type { Page } from "./page.ts";

/** What the everyday addresses do. */
const SAYS: Readonly<Record<string, string>> = {
  "POST /register": 'makes a user of {"username", "password"} and logs in: 201 and a token pair',
  "POST /login": 'takes {"username", "password"}: 201 and a token pair',
  "POST /refresh": "with the refresh token: the next pair",
  "POST /logout": "with either token: ends the login, 204",
  "GET /protected": "with the access token: who is logged in",
  "GET /fresh": "with the access token of a login, not of a refresh",
  "GET /admin": "with the access token of an administrator",
  "GET /token": "with the access token: what stands in it",
};

/** What the server says about itself: its addresses or its page, its public keys, what its page must know. */
export function describingRoutes(
  manager: Manager,
  jwks: { readonly keys: readonly object[] },
  page: Page,
  rows: () => readonly Pick<Row, "method" | "path">[],
): readonly Route[] {
  const { access, refresh } = manager.config.names;
  const csrfCookies = { access: access.csrfCookieName, refresh: refresh.csrfCookieName };
  const settings = { csrfCookies, csrfHeader: access.csrfHeaderName, registration: true };
  const get = (path: string, body: object, headers: JwtReply["headers"] = []): Route => ({
    method: "GET",
    path,
    handle: () => ({ status: 200, headers, body }),
  });
  const shown = () =>
    rows().map(({ method, path }) => {
      const says = SAYS[`${method} ${path}`];
      return says === undefined ? { method, path } : { method, path, says };
    });
  const wantsPage = (request: JwtRequest): boolean =>
    request.header("accept").some((line) => line.includes("text/html"));
  return [
    {
      method: "GET",
      path: "/",
      handle: (request) =>
        page.index && wantsPage(request)
          ? page.index
          : { status: 200, headers: [["vary", "Accept"]], body: { routes: shown() } },
    },
    get("/config.json", settings),
    get("/.well-known/jwks.json", jwks, [["cache-control", "public, max-age=300"]]),
  ];
}
