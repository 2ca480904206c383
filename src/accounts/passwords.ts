import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { hash, parseOptions, verify } from "@node-rs/argon2";
import { AccountError, ConfigError, raise } from "../errors.ts";
import { isCommon } from "./common-passwords.ts";
import { createQueue, type Queue, type QueueSize } from "./queue.ts";

/** What argon2id costs: memory in KiB, passes over it, threads. */
export interface HashCost {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
}

/** As the OWASP Password Storage Cheat Sheet asks for it. */
export const OWASP_COST: HashCost = Object.freeze({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });

/** KiB times passes of the cheapest setting in the same table. */
const LEAST_WORK = 7_168 * 5;

/** The longest password, in bytes of UTF-8. */
export const MAX_PASSWORD_BYTES = 1024;

/** How passwords are judged and hashed. */
export interface PasswordOptions {
  /** The shortest password, in bytes of UTF-8, 8 to 1024. @default 8 */
  readonly minLength?: number | undefined;
  /** What a hash costs; stored ones that cost less are made again at the next login. @default 19 MiB, 2 passes, 1 thread */
  readonly cost?: HashCost | undefined;
  /** @default twice the number of cores at once, 100 in line */
  readonly queue?: Partial<QueueSize> | undefined;
}

/** Judges, hashes and checks passwords. */
export interface Passwords {
  /**
   * One text for all the ways in which keyboards spell it (NFKC). Nothing is trimmed or cut.
   * @throws AccountError `password_too_long`, `password_malformed`, naming the field
   */
  normalize(given: string, field: string): string;
  /** @throws AccountError `password_too_short`, `password_common`, naming the field. `password` is normalized. */
  assertGood(password: string, name: string, field: string): void;
  /** @throws AccountError `too_busy` */
  hash(password: string): Promise<string>;
  /** Whether a password is the one of a stored hash. `undefined` stands for an unknown user and takes as long. @throws AccountError `too_busy` */
  verify(stored: string | undefined, password: string): Promise<boolean>;
  /** Whether a hash was made at a lower cost than today's. */
  isOutdated(stored: string): boolean;
  /** Whether the cost is below all that OWASP finds enough. */
  readonly isCheap: boolean;
  /** The line in which all hashes wait. */
  readonly queue: Queue;
}

/** Makes the one that all routes of an application share. @throws ConfigError for numbers that make no sense */
export function createPasswords({ minLength = 8, cost = OWASP_COST, queue: given }: PasswordOptions): Passwords {
  const size = { running: availableParallelism() * 2, waiting: 100, ...given };
  assertNumbers(minLength, cost, size);
  const queue = createQueue(size);
  // What unknown users are measured against: a hash that no password has.
  let nobodys: Promise<string> | undefined;
  const againstNobody = async (password: string): Promise<boolean> => {
    nobodys ??= hash(randomBytes(32), cost);
    await verify(await nobodys, password);
    return false;
  };
  const isOutdated = (stored: string): boolean => {
    const { memoryCost, timeCost, parallelism } = parseOptions(stored);
    return memoryCost < cost.memoryCost || timeCost < cost.timeCost || parallelism < cost.parallelism;
  };
  return {
    queue,
    isOutdated,
    isCheap: cost.memoryCost * cost.timeCost < LEAST_WORK,
    normalize(given, field) {
      const refuse = (code: "password_too_long" | "password_malformed", message?: string): never =>
        raise(new AccountError(code, { message, fields: [field] }));
      const tooLong = `The password may have at most ${MAX_PASSWORD_BYTES} bytes`;
      if (Buffer.byteLength(given) > MAX_PASSWORD_BYTES) return refuse("password_too_long", tooLong);
      const password = given.normalize("NFKC");
      const bytes = Buffer.from(password);
      if (bytes.length > MAX_PASSWORD_BYTES) return refuse("password_too_long", tooLong);
      // Half a surrogate pair has no UTF-8: all of them would become one and the same replacement character.
      return bytes.toString() === password ? password : refuse("password_malformed");
    },
    assertGood(password, name, field) {
      if (Buffer.byteLength(password) < minLength) {
        const message = `The password must have at least ${minLength} bytes`;
        raise(new AccountError("password_too_short", { message, fields: [field] }));
      }
      if (isCommon(password, name)) raise(new AccountError("password_common", { fields: [field] }));
    },
    hash: (password) => queue(() => hash(password, cost)),
    verify: (stored, password) =>
      queue(async () => {
        if (stored === undefined) return againstNobody(password);
        // A cheaper hash is ready sooner: the other one, beside it, takes the time that an unknown user takes.
        const [right] = await Promise.all([
          verify(stored, password),
          isOutdated(stored) ? againstNobody(password) : false,
        ]);
        return right;
      }),
  };
}

function assertNumbers(minLength: number, cost: HashCost, { running, waiting }: QueueSize): void {
  const isWhole = (value: number, least: number, most = Number.MAX_SAFE_INTEGER): boolean =>
    Number.isSafeInteger(value) && value >= least && value <= most;
  const { memoryCost, timeCost, parallelism } = cost;
  const faults: string[] = [];
  if (!isWhole(minLength, 8, MAX_PASSWORD_BYTES)) faults.push("passwords.minLength must be 8 to 1024.");
  if (!isWhole(memoryCost, 8) || !isWhole(timeCost, 1) || !isWhole(parallelism, 1, 255)) {
    faults.push("passwords.cost must hold memoryCost (KiB, 8 at least), timeCost and parallelism, as whole numbers.");
  }
  if (!isWhole(running, 1) || !isWhole(waiting, 0)) {
    faults.push("passwords.queue must hold whole numbers: running 1 at least, waiting 0 at least.");
  }
  if (faults.length > 0) throw new ConfigError(faults);
}
