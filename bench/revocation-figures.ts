import type { JwtRequest } from "../src/http/types.ts";
import { JWTManager } from "../src/manager.ts";
import type { TokenStore } from "../src/stores/contract.ts";
import { memoryStore } from "../src/stores/memory.ts";
import { type Job, pair } from "./jobs.ts";
import { compare } from "./measure.ts";
import { overStore, STORES } from "./store-labs.ts";
import { secretText } from "./tokens.ts";

async function guarded(store: TokenStore | null): Promise<() => unknown> {
  const manager = new JWTManager({ secretKey: secretText, store, warn: () => {} });
  const guard = manager.guard();
  const value = [`Bearer ${(await manager.createTokenPair("user-1234567")).access_token}`];
  const request: JwtRequest = {
    method: "GET",
    url: "/",
    header: (name) => (name === "authorization" ? value : []),
    body: async () => ({ kind: "none", why: "absent" }),
  };
  const outcome = await guard.check(request);
  if (!outcome.ok) throw new Error("a good token was refused");
  return () => guard.check(request);
}

const memory = pair("check, memory", async () => [
  { name: "guard, memory", run: await guarded(memoryStore()) },
  { name: "guard without a store", run: await guarded(null) },
]);

/** What the check costs: a guard over each store against its simplest read. */
const others = STORES.slice(1).map(
  (name): Job => ({
    name: `check, ${name}`,
    measure: (effort) =>
      overStore(name, async ({ store, read }) => {
        const one = { name: `guard, ${name}`, run: await guarded(store) };
        return [...(await compare(`check, ${name}`, [one, { name: "its simplest read", run: () => read(1) }], effort))];
      }),
  }),
);

export const jobs: readonly Job[] = [memory, ...others];
