import { AccountError, isJwtError, raise } from "../errors.ts";
import { networkOf } from "./address.ts";
import type { Asking, Keyed } from "./secrets.ts";

/** What is used of a limiter of `rate-limiter-flexible`. */
export interface Limiter {
  consume(key: string, points?: number, options?: { readonly customDuration?: number }): Promise<unknown>;
  reward(key: string, points?: number): Promise<unknown>;
}

/** How often something may be tried in how many seconds. */
export interface LimitRule {
  readonly points: number;
  readonly duration: number;
}

/** Makes limiters that count in one place: `memoryLimits`, `redisLimits(client)`, the `limits` of SQL tables, or your own. */
export type MakeLimiter = (rule: LimitRule & { readonly keyPrefix: string }) => Limiter;

const QUARTER = 900;

/** The buckets. `account` counts over all addresses and never locks: beyond its points each attempt waits longer. */
export const LIMITS = Object.freeze({
  pair: { points: 10, duration: QUARTER },
  address: { points: 100, duration: QUARTER },
  device: { points: 10, duration: QUARTER },
  account: { points: 10, duration: 86_400 },
  registration: { points: 20, duration: 3_600 },
}) satisfies Readonly<Record<string, LimitRule>>;

/** Other points and durations for some of the buckets. */
export type LimitRules = { readonly [Name in keyof typeof LIMITS]?: LimitRule | undefined };

/** Seconds between two attempts at one account: 1, 2, 4, … up to a quarter of an hour. `over` counts from 1. */
export const delayAfter = (over: number): number => Math.min(QUARTER, 2 ** Math.min(over - 1, 10));

/** Who tries. */
export interface Attempt {
  /** The canonical name, or what was given for one: unknown names are counted alike. */
  readonly name: string;
  readonly address: string | undefined;
  /** A device on which this user has logged in before. */
  readonly device: string | undefined;
}

/** Counts attempts before anything is hashed. */
export interface Limits {
  /**
   * Counts an attempt to log in, and gives the function that takes it back once the password was right.
   * @throws AccountError `too_many_attempts`
   */
  login(attempt: Attempt): Promise<() => Promise<void>>;
  /** @throws AccountError `too_many_attempts` */
  registration(address: string | undefined): Promise<void>;
}

const firsts = new WeakSet<AccountError>();

/** Whether a refusal is the first of a bucket that is full, and so belongs into the audit trail: the rest would flood it. */
export const isFirstRefusal = (error: AccountError): boolean => firsts.has(error);

interface State {
  readonly consumed: number;
  /** Milliseconds until it is forgotten. */
  readonly wait: number;
}

export function createLimits(make: MakeLimiter, given: LimitRules, keyed: Keyed, ask: Asking): Limits {
  const rules = { ...LIMITS, ...given } as Record<keyof typeof LIMITS, LimitRule>;
  const bucket = (name: keyof typeof LIMITS, points = rules[name].points) => {
    const limiter = make({ ...rules[name], points, keyPrefix: `jx-${name}` });
    return { limiter, points };
  };
  type Bucket = ReturnType<typeof bucket>;
  const buckets = { pair: bucket("pair"), address: bucket("address"), device: bucket("device") };
  const registrations = bucket("registration");
  // This one only counts; the gate is what refuses.
  const accounts = bucket("account", 1_000_000_000);
  const gate = { limiter: make({ points: 1, duration: QUARTER, keyPrefix: "jx-delay" }), points: 1 };

  /** Takes a point, or refuses. Answers how many are taken. */
  async function take({ limiter, points }: Bucket, key: string, customDuration?: number): Promise<number> {
    const settle = (answer: unknown, isFull: boolean): State & { isFull: boolean } => ({ ...stateOf(answer), isFull });
    const options = customDuration === undefined ? {} : { customDuration };
    const { consumed, wait, isFull } = await ask(() =>
      limiter.consume(key, 1, options).then(
        (answer) => settle(answer, false),
        // Limiters reject with an `Error` where their store fails, and with a state where they refuse.
        (refusal) => (refusal instanceof Error ? Promise.reject(refusal) : settle(refusal, true)),
      ),
    );
    if (!isFull) return consumed;
    const error = new AccountError("too_many_attempts", { retryAfter: Math.max(1, Math.ceil(wait / 1000)) });
    if (consumed === points + 1) firsts.add(error);
    return raise(error);
  }
  const keyOf = (...parts: readonly string[]): Promise<string> => keyed(`jwt-extended/limit\0${parts.join("\0")}`);

  return {
    async login({ name, address, device }) {
      const taken: (readonly [Bucket, string])[] = [];
      const count = async (from: Bucket, ...parts: readonly string[]): Promise<number> => {
        const key = await keyOf(...parts);
        const consumed = await take(from, key);
        taken.push([from, key]);
        return consumed;
      };
      const refund = async (): Promise<void> => {
        await Promise.all(taken.map(([{ limiter }, key]) => ask(() => limiter.reward(key, 1))));
      };
      if (device !== undefined) {
        await count(buckets.device, device);
        return refund;
      }
      const network = address === undefined ? undefined : networkOf(address);
      // One after the other: what one address has used up must not count against the account.
      if (network !== undefined) {
        await count(buckets.address, network);
        await count(buckets.pair, name, network);
      }
      const over = (await count(accounts, name)) - rules.account.points;
      if (over > 0) await pass(name, over, taken.at(-1)?.[1] as string);
      return refund;
    },
    async registration(address) {
      if (address !== undefined) await take(registrations, await keyOf(networkOf(address)));
    },
  };

  /** One attempt passes, the next ones wait. Those that are refused here have guessed nothing, and do not count. */
  async function pass(name: string, over: number, key: string): Promise<void> {
    try {
      await take(gate, await keyOf(name), delayAfter(over));
    } catch (error) {
      if (isJwtError(error) && error.code === "too_many_attempts") await ask(() => accounts.limiter.reward(key, 1));
      throw error;
    }
  }
}

function stateOf(answer: unknown): State {
  const { consumedPoints, msBeforeNext } = (answer ?? {}) as { consumedPoints?: unknown; msBeforeNext?: unknown };
  if (typeof consumedPoints === "number" && typeof msBeforeNext === "number") {
    return { consumed: consumedPoints, wait: msBeforeNext };
  }
  throw new TypeError("the limiter answered nonsense");
}
