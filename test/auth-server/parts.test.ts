import express from "express";
import { expect, it, vi } from "vitest";
import { answerError } from "../../examples/auth-server/answers.ts";
import { createQueue } from "../../examples/auth-server/queue.ts";
import { send } from "../support/http.ts";

it("the queue runs so many at once, lets so many wait, and refuses the rest", async () => {
  const queue = createQueue({ running: 2, waiting: 3 });
  let busy = 0;
  let most = 0;
  const job = async (i: number): Promise<number> => {
    most = Math.max(most, ++busy);
    await new Promise((resolve) => setTimeout(resolve, 5));
    busy--;
    if (i === 1) throw new Error("a job that fails");
    return i;
  };
  const flood = () => Promise.allSettled(Array.from({ length: 8 }, (_, i) => queue(() => job(i))));
  for (let round = 0; round < 3; round++) {
    const done = await flood();
    expect(done.map((one) => (one.status === "fulfilled" ? one.value : (one.reason.code ?? "failed")))).toEqual([
      0,
      "failed",
      2,
      3,
      4,
      "busy",
      "busy",
      "busy",
    ]);
    const [refused] = done.flatMap((one) =>
      one.status === "rejected" && one.reason.code === "busy" ? [one.reason] : [],
    );
    expect(refused).toMatchObject({ status: 503, headers: { "Retry-After": "1" } });
  }
  expect([most, busy]).toEqual([2, 0]);
});

it("an unknown error is one generic answer, and stands in the log", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const app = express();
  app.get("/", () => {
    throw new Error("a private detail");
  });
  app.use(answerError);
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const answer = await send(`http://127.0.0.1:${port}`);
  expect([answer.status, answer.text]).toEqual([500, '{"code":"internal","msg":"Something went wrong on our side"}']);
  expect(log).toHaveBeenCalledOnce();
  log.mockRestore();
  server.close();
});
