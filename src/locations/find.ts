import { InvalidRequestError, JwtError, UnauthorizedError } from "../errors.ts";
import type { JwtRequest, ReadBody } from "../http/types.ts";
import type { JwtLocation, MaybePromise } from "../types.ts";
import { findInCookies } from "./cookies.ts";
import type { Finding, Found, Search } from "./finding.ts";
import { findInHeader } from "./headers.ts";
import { findInJson } from "./json.ts";
import { findInQuery } from "./query-string.ts";

/**
 * Looks for a token in the places of a search, from the place numbered `from` on. The first place that has one decides;
 * only absence moves on to the next. Asynchronous only where a body must be read.
 */
export function findToken(request: JwtRequest, search: Search, from = 0): MaybePromise<Found | JwtError> {
  return walk(request, search, from, []);
}

function walk(request: JwtRequest, search: Search, from: number, texts: string[]): MaybePromise<Found | JwtError> {
  for (let place = from; place < search.places.length; place++) {
    const finding = look(request, search, search.places[place] as JwtLocation);
    if (finding instanceof Promise) {
      return walkLater(finding, request, search, place, texts);
    }
    const settled = settle(finding, request, search, place, texts);
    if (settled) return settled;
  }
  return new UnauthorizedError("token_missing", {
    message: search.config.behaviour.messages.missingToken(search.places.slice(-texts.length), texts),
  });
}

// A closure in the loop would cost each request its variables, even where nothing has to be waited for.
function walkLater(
  finding: Promise<Finding>,
  request: JwtRequest,
  search: Search,
  place: number,
  texts: string[],
): Promise<Found | JwtError> {
  return finding.then((late) => settle(late, request, search, place, texts) ?? walk(request, search, place + 1, texts));
}

function settle(
  finding: Finding,
  request: JwtRequest,
  search: Search,
  place: number,
  texts: string[],
): MaybePromise<Found | JwtError> | undefined {
  if (finding instanceof JwtError) return finding;
  if ("missing" in finding) {
    texts.push(finding.missing);
    return undefined;
  }
  return search.config.behaviour.oneLocation ? alone(finding, request, search, place) : finding;
}

function look(request: JwtRequest, search: Search, place: JwtLocation): MaybePromise<Finding> {
  switch (place) {
    case "headers":
      return findInHeader(request, search);
    case "cookies":
      return findInCookies(request, search);
    case "query_string":
      return findInQuery(request, search);
    case "json":
      return findInBody(request, search);
  }
}

const findInBody = (request: JwtRequest, search: Search): Promise<Finding> =>
  request.body().then((body: ReadBody) => findInJson(body, search));

/** RFC 6750 §2: a client sends its token in one way only. A cookie is sent by the browser, not by the client. */
function alone(found: Found, request: JwtRequest, search: Search, place: number): MaybePromise<Found | JwtError> {
  if (found.location === "cookies") return found;
  for (let other = place + 1; other < search.places.length; other++) {
    const name = search.places[other] as JwtLocation;
    if (name === "cookies") continue;
    const finding = look(request, search, name);
    if (finding instanceof Promise) {
      return finding.then((late) => (isAbsent(late) ? alone(found, request, search, other) : twice()));
    }
    if (!isAbsent(finding)) return twice();
  }
  return found;
}

const isAbsent = (finding: Finding): boolean => !(finding instanceof JwtError) && "missing" in finding;

const twice = (): JwtError =>
  new InvalidRequestError("invalid_request", {
    message: "The request carries more than one token: send it in one place only",
  });
