import { expect, it } from "vitest";
import { startServer } from "./server.ts";

/** Watches the event loop and the memory of the process from `GET /measure` on; both are told at its end. */
const WATCH = `
import { Server } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
const delay = monitorEventLoopDelay({ resolution: 5 });
let [base, peak] = [0, 0];
const { emit } = Server.prototype;
Server.prototype.emit = function (name, ...rest) {
  if (name === "request" && rest[0].url === "/measure") {
    base = peak = process.memoryUsage.rss();
    delay.enable();
    setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, 5).unref();
  }
  return emit.call(this, name, ...rest);
};
process.on("exit", () => console.log(JSON.stringify({ late: delay.percentile(90) / 1e6, grown: peak - base })));
`;

it("200 logins at once wait their turn or are refused, in little memory, and stop nothing else", async () => {
  const server = await startServer({ before: WATCH });
  const body = { username: "flooded", password: "a long password" };
  expect((await server.post("/register", body)).status).toBe(201);
  await server.send({ path: "/measure" });
  // Names that nobody has cost as much as others, and no limit of an account stops them.
  const strangers = Array.from({ length: 200 }, (_, i) => ({ ...body, username: `stranger-${i}` }));
  const answers = await Promise.all(strangers.map((stranger) => server.post("/login", stranger)));
  const count = (status: number) => answers.filter((answer) => answer.status === status).length;
  expect([count(401) > 0, count(503) > 0, count(401) + count(503)]).toEqual([true, true, 200]);
  for (const answer of answers) if (answer.status === 503) expect(answer.header("retry-after")).toEqual(["1"]);
  expect((await server.post("/login", body)).status).toBe(201);
  const { output } = await server.stop();
  const { late, grown } = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as { late: number; grown: number };
  expect(late).toBeLessThan(100);
  // Each hash takes 19 MiB; all at once would take 3.7 GiB.
  expect(grown).toBeLessThan(400 * 1024 * 1024);
});
