import { beforeAll, describe, expect, it } from "vitest";
import { MODES, type Mode, PASSWORD } from "./clients.ts";
import { type Running, startServer } from "./server.ts";

/** Enough that none of them gets near the limit of guesses at one account. */
const USERS = 20;

let server: Running;
beforeAll(async () => {
  server = await startServer();
  for (const mode of MODES)
    for (let i = 0; i < USERS; i++) await server.post("/register", { username: nameOf(mode, i), password: PASSWORD });
});

const nameOf = (mode: Mode, i: number): string => `timed-${mode}-${i}`;
const median = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] as number;
async function time(username: string, password: string, mode: Mode): Promise<number> {
  const begin = performance.now();
  const answer = await server.post("/login", { username, password, via: mode === "cookie" ? "cookies" : "body" });
  const took = performance.now() - begin;
  expect([400, 401]).toContain(answer.status);
  return took;
}

/** Logins under names that are there and of such that are not, one after the other in turn, in milliseconds. */
async function pairs(mode: Mode, password: string, count = USERS): Promise<[known: number, unknown: number][]> {
  const all: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    const isFirst = i % 2 === 0;
    const early = isFirst ? await time(nameOf(mode, i), password, mode) : 0;
    const unknown = await time(`stranger-${mode}-${i}`, password, mode);
    all.push([isFirst ? early : await time(nameOf(mode, i), password, mode), unknown]);
  }
  return all;
}

describe.each(MODES)("the time of a login in %s mode", (mode) => {
  it("does not tell whether there is such a user", { timeout: 60_000 }, async () => {
    const shares: number[] = [];
    // A machine that is busy elsewhere may spoil a try, but not all. Without a hash a login would take a tenth of the time;
    // smaller differences are looked for where less is in between, in test/accounts/enumeration.test.ts.
    for (let tries = 0; tries < 4 && Math.min(1, ...shares) >= 0.1; tries++) {
      const all = await pairs(mode, "wrong password");
      const [known, unknown] = [median(all.map(([one]) => one)), median(all.map(([, other]) => other))];
      // What else goes on hits the two of a pair alike.
      shares.push(Math.abs(median(all.map(([one, other]) => one - other))) / unknown);
      const share = `${(100 * (shares.at(-1) as number)).toFixed(1)} percent`;
      console.info(`${mode}: known ${known.toFixed(1)} ms, unknown ${unknown.toFixed(1)} ms, pairs differ by ${share}`);
    }
    expect(Math.min(...shares)).toBeLessThan(0.25);
  });

  it("is that of no hash where the password is too long, for both", async () => {
    const long = await pairs(mode, "x".repeat(1025));
    const hashed = median((await pairs(mode, "wrong password", 5)).flat());
    for (const which of [0, 1]) expect(median(long.map((pair) => pair[which] as number))).toBeLessThan(hashed / 2);
  });
});
