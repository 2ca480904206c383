import { UsageError } from "../errors.ts";

/**
 * The error of a key that cannot be used. `sentence` says what is wrong and how to mend it, and never holds the key.
 */
export function keyFault(sentence: string): UsageError {
  return new UsageError("key_unusable", { message: sentence });
}
