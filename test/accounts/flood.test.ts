import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/http.ts";
import { brief, PASSWORD, type Running, startAccounts } from "./server.ts";

describe("a flood", () => {
  let server: Running;
  beforeAll(async () => {
    // The cost is the real one: that is what a flood is about. The line is short, so that it is full on any machine.
    const queue = { running: 1, waiting: 10 };
    server = await startAccounts({ accounts: { passwords: { queue } }, manager: { storeTimeout: "10s" } });
    await server.register("ada");
  });
  afterAll(() => server.close());

  it("of 200 logins at once is bounded: some wait, some are told to come back, and other requests are answered meanwhile", async () => {
    // What this machine does to a process that does nothing, so that a busy one is not taken for a fault of ours.
    const idle = monitorEventLoopDelay({ resolution: 5 });
    idle.enable();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    idle.disable();
    const before = process.memoryUsage().rss;
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    const logins = Array.from({ length: 200 }, (_, i) =>
      server.login(i % 2 ? "ada" : `nobody${i}`, i % 4 === 1 ? PASSWORD : "wrong password"),
    );
    const quick: Answer[] = [];
    for (let i = 0; i < 10; i++) {
      quick.push(await server.get("/me"));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const answers = await Promise.all(logins);
    delay.disable();
    clearInterval(watch);
    const tally: Record<string, number> = {};
    for (const answer of answers) tally[brief(answer)] = (tally[brief(answer)] ?? 0) + 1;
    const grown = Math.round((most - before) / 1024 / 1024);
    console.info(
      "200 logins:",
      tally,
      `idle ${(idle.max / 1e6).toFixed(0)} ms at most; flooded 95 % of delays below ${(delay.percentile(95) / 1e6).toFixed(0)} ms, 99 % below ${(delay.percentile(99) / 1e6).toFixed(0)} ms, most ${(delay.max / 1e6).toFixed(0)} ms, ${grown} MiB more`,
    );
    expect(Object.keys(tally).sort()).toEqual(["201 ok", "401 invalid_credentials", "503 too_busy"]);
    for (const answer of answers.filter(({ status }) => status === 503))
      expect(answer.header("retry-after")).toEqual(["1"]);
    expect(quick.map(({ status }) => status)).toEqual(new Array(10).fill(401));
    expect(delay.percentile(50) / 1e6).toBeLessThan(50);
    expect(delay.percentile(95) / 1e6).toBeLessThan(100 + (3 * idle.max) / 1e6);
    // Unbounded it would be 200 times 19 MiB.
    expect(grown).toBeLessThan(600);
  }, 60_000);

  it("of registrations with one name makes one account", async () => {
    const wide = await startAccounts();
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => wide.post("/register", { username: "one", password: PASSWORD })),
    );
    expect(answers.map(brief).sort()).toEqual(["201 ok", ...new Array(49).fill("409 username_taken")]);
    expect(brief(await wide.login("one"))).toBe("201 ok");
    await wide.close();
  });
});
