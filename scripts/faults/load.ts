import type { Actor } from "./actor.ts";
import { pause, Tally } from "./report.ts";

/** What a load has seen. */
export interface LoadStats {
  /** How often a guard let a revoked token pass: never. */
  readonly accepted: number;
  readonly checks: number;
  /** How often a guard refused with each code, or let pass, a token that was good at the beginning. */
  readonly live: string;
  /** Log-outs that were acknowledged while it ran. */
  readonly logouts: number;
  /** When a whole login, refresh, check and log-out first worked again since the stats were last reset (Unix ms). */
  readonly workedAt: number | undefined;
  readonly unavailable: number;
  /** How long a whole login, refresh, check and log-out took on average since the stats were last reset, in milliseconds. */
  readonly round: number;
}

/** Checks, logins, refreshes and log-outs that go on until they are halted. */
export interface Load {
  stats(reset: boolean): LoadStats;
  halt(): Promise<void>;
}

const CHECKERS = 12;
const WRITERS = 4;
/** How many tokens of sessions that the load itself has ended are tried again and again. */
const KEPT = 200;

/** Starts a load: `live` access tokens are good, `revoked` ones are not. */
export function createLoad(actor: Actor, live: readonly string[], revoked: readonly string[]): Load {
  const dead = [...revoked];
  const seen = new Tally();
  let [accepted, checks, logouts, unavailable, turn] = [0, 0, 0, 0, 0];
  let workedAt: number | undefined;
  let whole: number[] = [];
  let isOn = true;

  async function check(): Promise<void> {
    turn++;
    checks++;
    const isLive = turn % 3 === 0;
    const tokens = isLive ? live : dead;
    const { code } = await actor.check(tokens[turn % tokens.length] as string);
    if (isLive) seen.add(code);
    else if (code === "ok") accepted++;
    if (code === "store_unavailable") unavailable++;
    await pause(code === "ok" || code === "token_revoked" ? 0 : 2);
  }
  async function write(): Promise<void> {
    turn++;
    const since = performance.now();
    const opened = (await actor.login(`load-${turn}`)).login;
    if (!opened) return pause(5);
    const next = (await actor.refresh(opened.refresh))[0]?.login;
    const passed = next && (await actor.check(next.access)).code === "ok";
    const { code } = await actor.logout(opened.sid);
    if (code === "ok") {
      logouts++;
      dead.push(opened.access, ...(next ? [next.access] : []));
      if (dead.length > revoked.length + KEPT) dead.splice(revoked.length, KEPT / 2);
    }
    if (passed && code === "ok") {
      workedAt ??= Date.now();
      whole.push(performance.now() - since);
    }
    await pause(2);
  }
  const repeat = async (work: () => Promise<void>): Promise<void> => {
    while (isOn) await work();
  };
  const loops = [
    ...Array.from({ length: CHECKERS }, () => repeat(check)),
    ...Array.from({ length: WRITERS }, () => repeat(write)),
  ];
  return {
    stats(reset) {
      const round = whole.reduce((sum, each) => sum + each, 0) / whole.length;
      const now = { accepted, checks, live: seen.toString(), logouts, workedAt, unavailable, round };
      if (reset) [workedAt, whole] = [undefined, []];
      return now;
    },
    async halt() {
      isOn = false;
      await Promise.all(loops);
    },
  };
}
