import type { RevocationQuery } from "jwt-extended";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { moment } from "../../../../src/stores/replica/moment.ts";
import { type Questions, questionsTo } from "../../../../src/stores/replica/questions.ts";
import { about } from "../../../../src/testing/store-cases.ts";

const REUSE = 5_000;
const query = (jti: string): RevocationQuery => about("alice", { jti, iat: 1 });

/** Questions whose answers a test gives. */
let asked: { jti: string; answer: (isRevoked: boolean) => void; fail: (error: Error) => void }[];
let questions: Questions;
let turns: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "Date", "performance"] });
  asked = [];
  turns = 0;
  let last = -1;
  questions = questionsTo(
    {
      isRevoked: ({ jti = "" }) =>
        new Promise((answer, fail) => {
          if (last !== turn) turns++;
          last = turn;
          asked.push({ jti, answer, fail });
        }),
    },
    REUSE,
  );
});
afterEach(() => vi.useRealTimers());

let turn = 0;
/** Lets the event loop turn. */
async function sent(): Promise<void> {
  await vi.advanceTimersByTimeAsync(1);
  turn++;
}
function ask(jti: string): boolean | Promise<boolean> {
  const answer = questions.ask(query(jti), moment());
  if (answer instanceof Promise) answer.catch(() => {});
  return answer;
}

describe("questions to the store", () => {
  it("go together with those of the same turn of the event loop, each once", async () => {
    const answers = ["a", "b", "a", "c", "a"].map(ask);
    expect(asked.length).toBe(0);
    await sent();
    expect(asked.map(({ jti }) => jti)).toEqual(["a", "b", "c"]);
    expect(turns).toBe(1);
    const late = ask("a");
    await sent();
    expect(asked.length).toBe(3);
    for (const { jti, answer } of asked) answer(jti === "b");
    expect(await Promise.all([...answers, late])).toEqual([false, true, false, false, false, false]);
    expect(questions.asked).toBe(3);
  });

  it("differ by each of the things that decide about a token", async () => {
    const whole: RevocationQuery = { jti: "j", sid: "s", subject: "u", issuer: "i", kid: "k", iat: 1 };
    const others = Object.keys(whole).map((name) => ({ ...whole, [name]: name === "iat" ? 2 : "else" }));
    const less = Object.keys(whole).map((name) => ({ ...whole, [name]: undefined }));
    for (const each of [whole, ...others, ...less, whole]) questions.ask(each, moment());
    await sent();
    expect(asked.length).toBe(13);
  });

  it("are not asked again for as long as the copy might be behind; one that was answered yes is", async () => {
    for (const jti of ["a", "b"]) ask(jti);
    await sent();
    await vi.advanceTimersByTimeAsync(900);
    for (const { jti, answer } of asked) answer(jti === "b");
    await sent();
    expect(ask("a")).toBe(false);
    expect(ask("b")).toBeInstanceOf(Promise);
    // Counted from when it was asked.
    await vi.advanceTimersByTimeAsync(4_095);
    expect(ask("a")).toBe(false);
    await vi.advanceTimersByTimeAsync(10);
    expect(ask("a")).toBeInstanceOf(Promise);
  });

  it("are asked again after the machine was suspended", async () => {
    ask("a");
    await sent();
    asked[0]?.answer(false);
    await sent();
    expect(ask("a")).toBe(false);
    vi.setSystemTime(Date.now() + 2_000);
    expect(ask("a")).toBeInstanceOf(Promise);
  });

  it("fail where the store does, or takes too long, or answers nonsense, and nothing is remembered", async () => {
    const settled = Promise.allSettled(["a", "b", "c"].map(ask));
    await sent();
    asked[0]?.fail(new Error("out of service"));
    asked[1]?.answer("no" as never);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(
      (await settled).map((each) => each.status === "rejected" && String(each.reason.detail ?? each.reason)),
    ).toEqual(["Error: out of service", "the store answered nonsense", "the store gave no answer in time"]);
    for (const jti of ["a", "b", "c"]) expect(ask(jti)).toBeInstanceOf(Promise);
  });

  it("are at most 2048 at a time, also those that were given up: a store that hangs is not asked without end", async () => {
    // So many timers are too much for those of the test.
    vi.useRealTimers();
    const timers = vi.spyOn(globalThis, "setTimeout");
    const all = Array.from({ length: 2_048 }, (_, at) => ask(`${at}`));
    const settled = Promise.allSettled(all);
    expect(() => ask("one more")).toThrow(expect.objectContaining({ code: "store_unavailable" }));
    // Whoever asks what is asked already waits along.
    expect(ask("7")).toBe(all[7]);
    expect((await settled).every(({ status }) => status === "rejected")).toBe(true);
    expect(() => ask("one more")).toThrow(expect.objectContaining({ code: "store_unavailable" }));
    asked[0]?.answer(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ask("one more")).toBeInstanceOf(Promise);
    expect(() => ask("and one more")).toThrow(expect.objectContaining({ code: "store_unavailable" }));
    // A driver may lose a question for good.
    const [giveUp] = timers.mock.calls.findLast(([, after]) => after === 30_000) ?? [];
    giveUp?.();
    giveUp?.();
    expect(ask("and one more")).toBeInstanceOf(Promise);
    expect(() => ask("no more")).toThrow(expect.objectContaining({ code: "store_unavailable" }));
    timers.mockRestore();
  });

  it("are forgotten with their answers once something was revoked, also those on their way", async () => {
    ask("a");
    const before = ask("b");
    await sent();
    asked[0]?.answer(false);
    await sent();
    questions.forget();
    const after = ask("b");
    expect(after).not.toBe(before);
    expect(ask("a")).toBeInstanceOf(Promise);
    await sent();
    asked[1]?.answer(false);
    await sent();
    expect(ask("b")).toBe(after);
  });

  it("are remembered in a bounded number", async () => {
    for (let at = 0; at < 10_500; at += 500) {
      for (let each = at; each < at + 500; each++) ask(`${each}`);
      await sent();
      for (const { answer } of asked.slice(at)) answer(false);
      await sent();
    }
    expect(ask("10499")).toBe(false);
    expect(ask("0")).toBeInstanceOf(Promise);
  });
});
