import { expect, it } from "vitest";
import { createQueue } from "../../src/accounts/queue.ts";

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
    const shown = done.map((one) => (one.status === "fulfilled" ? one.value : (one.reason.code ?? "failed")));
    expect(shown).toEqual([0, "failed", 2, 3, 4, "too_busy", "too_busy", "too_busy"]);
    const refused = done.find((one) => one.status === "rejected" && one.reason.code === "too_busy");
    expect(refused).toMatchObject({ reason: { status: 503, retryAfter: 1 } });
  }
  expect([most, busy]).toEqual([2, 0]);
});
