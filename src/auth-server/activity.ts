import { queryOf } from "../accounts/body.ts";
import type { AccountTables } from "../accounts/sql/open.ts";
import { AccountError, raise } from "../errors.ts";
import type { JwtRequest, Route } from "../http/types.ts";
import { guardedRoute } from "../routes/shared.ts";
import { ADMIN, isAdministrator, type Manager } from "./manager.ts";

const MAX_HOURS = 24 * 31;
/** Rows that make a chart, and seconds that make a row. */
const MAX_ROWS = 200;
const BUCKETS = [60, 300, 900, 3_600, 21_600];

/** `GET /admin/activity?hours=24`: logins and refusals over time, the oldest first, moments without any included. */
export function activityRoute(manager: Manager, { activity }: Pick<AccountTables, "activity">): Route {
  const guard = manager.guard({ roles: ADMIN, verify: isAdministrator });
  return guardedRoute("GET", "/admin/activity", manager, guard, async (_, request) => {
    const hours = hoursOf(request);
    const bucket = BUCKETS.find((seconds) => (hours * 3_600) / seconds <= MAX_ROWS) as number;
    const last = Math.floor(manager.config.clock() / 1000 / bucket) * bucket;
    const first = last - hours * 3_600 + bucket;
    const counted = new Map((await activity(first * 1000, bucket * 1000)).map((row) => [row.at / 1000, row]));
    const rows = [];
    for (let at = first; at <= last; at += bucket) {
      const { logins = 0, refusals = 0 } = counted.get(at) ?? {};
      rows.push({ at, logins, refusals });
    }
    return { status: 200, headers: [], body: { bucket, rows } };
  });
}

function hoursOf(request: JwtRequest): number {
  const given = queryOf(request, "hours") ?? "24";
  const hours = /^\d{1,3}$/.test(given) ? Number(given) : 0;
  if (hours >= 1 && hours <= MAX_HOURS) return hours;
  return raise(new AccountError("field_invalid", { message: `"hours" must be 1 to ${MAX_HOURS}`, fields: ["hours"] }));
}
