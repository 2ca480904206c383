import { AccountError, isJwtError, raise } from "../errors.ts";
import { cookieValues } from "../http/cookies.ts";
import type { JwtReply, JwtRequest } from "../http/types.ts";
import { type AnyManager, clientInfo } from "../routes/shared.ts";
import type { AddressOf } from "./address.ts";
import type { AuditFacts, AuditKind } from "./audit.ts";
import type { Devices } from "./device.ts";
import { isFirstRefusal, type Limits } from "./limits.ts";
import type { Passwords } from "./passwords.ts";
import type { Person } from "./people.ts";
import type { Asking } from "./secrets.ts";
import type { Trail } from "./trail.ts";

/** What the routes of accounts work with. */
export interface Desk {
  readonly manager: AnyManager;
  readonly passwords: Passwords;
  readonly limits: Limits;
  readonly devices: Devices;
  readonly trail: Trail;
  readonly ask: Asking;
  readonly addressOf: AddressOf;
}

/**
 * Records why something failed; `about` takes what becomes known of it meanwhile. Of attempts that are one too many only the
 * first is recorded, as they cost an attacker nothing. Successes are recorded where they happen.
 */
export async function recorded<T>(
  kind: AuditKind,
  { trail }: Desk,
  work: (about: Partial<Mutable<AuditFacts>>) => Promise<T>,
): Promise<T> {
  const about: Partial<Mutable<AuditFacts>> = {};
  try {
    return await work(about);
  } catch (error) {
    const isMore = error instanceof AccountError && error.code === "too_many_attempts" && !isFirstRefusal(error);
    if (isJwtError(error) && !isMore) await trail.note({ kind, outcome: error.code, ...about });
    throw error;
  }
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** How somebody is logged in. */
export interface Entrance {
  readonly via: "cookies" | "body";
  readonly status: number;
  /** The key that the tokens are bound to. */
  readonly jkt: string | undefined;
  /** The id of the device, where it is known. */
  readonly device: string | undefined;
}

/**
 * Opens a session and answers with its tokens.
 * @throws AccountError `invalid_credentials` where the account was changed since its password was looked at
 */
export async function letIn(person: Person, request: JwtRequest, desk: Desk, entrance: Entrance): Promise<JwtReply> {
  const { manager, devices, addressOf } = desk;
  const { via, status, jkt, device } = entrance;
  const client = clientInfo(request, { address: addressOf });
  const pair = await manager.createTokenPair(person.id, { fresh: true, client, jkt });
  // Looked at after the session was open: whoever disables the account from now on ends this session, too.
  if (!(await person.stillGood())) {
    const { sid } = await manager.decodeToken(pair.access_token);
    if (sid !== undefined) await manager.revokeSession(sid);
    return raise(new AccountError("invalid_credentials"));
  }
  const reply = await manager.tokensReply(pair, { via, status }, request);
  return { ...reply, headers: [...reply.headers, ...(await devices.remember(device, person.id))] };
}

/**
 * Where a client wants its tokens. One that came with token cookies gets cookies, whatever it asks for: a script in the
 * page could read a body.
 * @throws AccountError `field_invalid` for a place that this manager does not read
 */
export function placeOf(wanted: string | undefined, request: JwtRequest, { config }: AnyManager): "cookies" | "body" {
  const { locations, names } = config;
  const takesCookies = locations.includes("cookies");
  const takesOthers = locations.some((place) => place !== "cookies");
  const fits = wanted === undefined || (wanted === "cookies" ? takesCookies : wanted === "body" && takesOthers);
  if (!fits) {
    const places = [...(takesCookies ? ['"cookies"'] : []), ...(takesOthers ? ['"body"'] : [])].join(" or ");
    return raise(new AccountError("field_invalid", { message: `The field "via" must be ${places}`, fields: ["via"] }));
  }
  const lines = request.header("cookie");
  const cameWithCookies = [names.access, names.refresh].some(
    ({ cookieName }) => cookieValues(lines, cookieName).length > 0,
  );
  if (takesCookies && cameWithCookies) return "cookies";
  return (wanted as "cookies" | "body" | undefined) ?? (locations[0] === "cookies" ? "cookies" : "body");
}
