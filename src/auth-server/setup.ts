import { randomBytes } from "node:crypto";
import type { KeptAccounts } from "../accounts/accounts.ts";
import type { AddressOf } from "../accounts/address.ts";
import type { Recorder } from "../accounts/audit.ts";
import { readFields } from "../accounts/body.ts";
import { placeOf } from "../accounts/desk.ts";
import type { AccountTables } from "../accounts/sql/open.ts";
import { sha256 } from "../crypto/digest.ts";
import { AccountError } from "../errors.ts";
import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import { equalText } from "../internal/constant-time.ts";
import { assertOwnPage, clientInfo, route } from "../routes/shared.ts";
import { ADMIN, type Manager } from "./manager.ts";

/** The link by which the first administrator is made. */
export interface Setup {
  readonly route: Route;
  /** Makes a token that is good once, for `SETUP_MINUTES`. It is kept as a hash, and told nobody else. */
  open(): string;
  /** Called once when the link is no longer good. */
  onClosed(listener: () => void): void;
}

export const SETUP_MINUTES = 30;

const SHAPE = { token: "text", username: "text", password: "text", via: "text?" } as const;

/** `POST /setup`: makes the first administrator, and logs in. Whoever comes later finds nothing there. */
export function createSetup(
  manager: Manager,
  accounts: KeptAccounts,
  { isHeld }: Pick<AccountTables, "isHeld">,
  addressOf: AddressOf,
  recorder: Recorder,
): Setup {
  const hashOf = (token: string): string => sha256(token).toString("base64url");
  let open: { readonly hash: string; readonly until: number } | undefined;
  let closed = (): void => {};
  const refusal = (status: number, code: string, message: string): JwtReply => {
    return { status, headers: [], body: { code, [manager.config.errorMessageKey]: message } };
  };
  const gone = (): JwtReply => {
    if (open) closed();
    open = undefined;
    return refusal(404, "setup_closed", "There is nothing to set up here, or no longer");
  };

  async function setUp(request: JwtRequest): Promise<JwtReply> {
    assertOwnPage(request, manager);
    if (!open || performance.now() > open.until) return gone();
    const { token, via, ...user } = await readFields(request, SHAPE, manager.config);
    const place = placeOf(via, request, manager);
    if (!open || !equalText(open.hash, hashOf(token))) {
      return refusal(403, "setup_refused", "The link is wrong: take the one that the server has told at its start");
    }
    const made = await add(user);
    if (made === undefined) return gone();
    gone();
    const facts = { kind: "register", outcome: "ok", subject: made, detail: ADMIN } as const;
    await recorder.record({ ...facts, client: await recorder.clientOf(request) });
    const client = clientInfo(request, { address: addressOf });
    const pair = await manager.createTokenPair(made, { fresh: true, client });
    return manager.tokensReply(pair, { via: place, status: 201 }, request);
  }

  /** One statement of the database decides who is the first, whatever this process believes. */
  async function add(user: { readonly username: string; readonly password: string }): Promise<string | undefined> {
    try {
      return (await accounts.addUser({ ...user, roles: [ADMIN], unlessHeld: ADMIN })).id;
    } catch (error) {
      if (error instanceof AccountError && error.code === "username_taken" && (await isHeld(ADMIN))) return undefined;
      throw error;
    }
  }
  return {
    route: route("POST", "/setup", manager, setUp),
    open() {
      const token = randomBytes(32).toString("base64url");
      // By a clock that nobody sets.
      open = { hash: hashOf(token), until: performance.now() + SETUP_MINUTES * 60_000 };
      return token;
    },
    onClosed(listener) {
      closed = listener;
    },
  };
}
