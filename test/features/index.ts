import type { Harness } from "../support/harness/types.ts";
import { feature as bodies } from "./adapter-bodies.ts";
import { feature as disconnects } from "./adapter-disconnects.ts";
import { feature as errors } from "./adapter-errors.ts";
import { feature as headers } from "./adapter-headers.ts";
import { feature as methods } from "./adapter-methods.ts";
import { feature as mounts } from "./adapter-mounts.ts";
import { feature as protects } from "./adapter-protect.ts";
import { feature as replies } from "./adapter-replies.ts";

/** Everything a user can see of the library, each tested through every adapter. A new feature is one more line here. */
const FEATURES: readonly ((harness: Harness) => void)[] = [
  bodies,
  disconnects,
  errors,
  headers,
  methods,
  mounts,
  protects,
  replies,
];

/** Declares the tests of all features for one adapter. */
export function features(harness: Harness): void {
  for (const feature of FEATURES) feature(harness);
}
