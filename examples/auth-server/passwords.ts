import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { hash, parseOptions, verify } from "@node-rs/argon2";
import { createQueue } from "./queue.ts";
import { Refusal } from "./refusal.ts";

/** argon2id as the OWASP Password Storage Cheat Sheet asks for it. */
const COST = Object.freeze({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });
const MIN_BYTES = 8;
const MAX_BYTES = 1024;

/** Makes and checks password hashes. */
export interface Passwords {
  /**
   * The hash of a new password.
   * @throws Refusal for one that breaks the rules of length.
   */
  hash(password: string): Promise<string>;
  /**
   * Whether a password is the one of a stored hash. `undefined` stands for an unknown user and takes as long.
   * @throws Refusal for one that is too long to be anybody's.
   */
  verify(stored: string | undefined, password: string): Promise<boolean>;
  /** Whether a hash was made at another cost than today's, and should be made again at the next login. */
  isOutdated(stored: string): boolean;
}

export async function createPasswords(): Promise<Passwords> {
  const queue = createQueue({ running: availableParallelism() * 2, waiting: 100 });
  const nobodys = await hash(randomBytes(32), COST);
  return {
    async hash(password) {
      const text = normalized(password);
      if (Buffer.byteLength(text) < MIN_BYTES) {
        throw new Refusal(400, "password_too_short", `A password must have at least ${MIN_BYTES} bytes`);
      }
      return queue(() => hash(text, COST));
    },
    async verify(stored, password) {
      const text = normalized(password);
      const right = await queue(() => verify(stored ?? nobodys, text));
      return right && stored !== undefined;
    },
    isOutdated(stored) {
      const { memoryCost, timeCost, parallelism } = parseOptions(stored);
      return memoryCost !== COST.memoryCost || timeCost !== COST.timeCost || parallelism !== COST.parallelism;
    },
  };
}

/** One text for all the ways in which keyboards spell it (NFKC). Nothing is trimmed or cut: what is too long is refused. */
function normalized(password: string): string {
  const text = password.normalize("NFKC");
  const bytes = Buffer.from(text);
  if (bytes.length > MAX_BYTES) {
    throw new Refusal(400, "password_too_long", `A password must have at most ${MAX_BYTES} bytes`);
  }
  // Half a surrogate pair has no UTF-8: all of them would become one and the same replacement character.
  if (bytes.toString() !== text) throw new Refusal(400, "password_malformed", "The password is no Unicode text");
  return text;
}
