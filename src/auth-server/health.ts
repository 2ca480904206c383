import type { AccountTables } from "../accounts/sql/open.ts";
import type { JwtReply, Route } from "../http/types.ts";
import { withinLimit } from "../internal/time-limit.ts";
import type { TokenStore } from "../stores/contract.ts";
import type { Manager } from "./manager.ts";

/** Milliseconds for which an answer counts: strangers may ask as often as they like. */
const KEEP = 1_000;
/** A question that every store must answer, about nobody. */
const NOBODY = { jti: "-", sid: undefined, subject: "-", issuer: undefined, kid: undefined, iat: 0 };

/** `GET /health/live` and `/health/ready`, for those who start processes and send them requests. */
export function healthRoutes(
  manager: Manager,
  store: TokenStore,
  { users }: AccountTables,
  isStopping: () => boolean,
): readonly Route[] {
  const answer = (status: number, body: object): JwtReply => ({ status, headers: [], body });
  let asked: { readonly at: number; readonly isReady: Promise<boolean> } | undefined;

  async function ask(): Promise<boolean> {
    const both = Promise.all([store.isRevoked(NOBODY), users.byId("-")]);
    return withinLimit(both, manager.config.storeTimeout, () => new Error("too late")).then(
      () => true,
      () => false,
    );
  }
  async function isReady(): Promise<boolean> {
    if (!asked || performance.now() - asked.at > KEEP) asked = { at: performance.now(), isReady: ask() };
    return asked.isReady;
  }
  return [
    { method: "GET", path: "/health/live", handle: () => answer(200, { status: "live" }) },
    {
      method: "GET",
      path: "/health/ready",
      handle: async () =>
        !isStopping() && (await isReady())
          ? answer(200, { status: "ready" })
          : answer(503, { code: "not_ready", [manager.config.errorMessageKey]: "The server cannot take requests now" }),
    },
  ];
}
