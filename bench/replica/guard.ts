import { openLab } from "../../scripts/faults/labs.ts";
import { openStore } from "../../scripts/faults/places.ts";
import type { JwtRequest } from "../../src/http/types.ts";
import { JWTManager } from "../../src/manager.ts";
import type { TokenStore } from "../../src/stores/contract.ts";
import { replicatedStore } from "../../src/stores/replica/replica.ts";
import type { Job } from "../jobs.ts";
import { compare, type Effort, type Ratio } from "../measure.ts";
import { secretText } from "../tokens.ts";

const AT_ONCE = 64;
const REVOKED = 1_000;

async function guarded(store: TokenStore): Promise<() => unknown> {
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

const atOnce = (run: () => unknown) => () => Promise.all(Array.from({ length: AT_ONCE }, run));

async function measure(kind: "postgres" | "redis", effort: Effort): Promise<readonly Ratio[]> {
  const lab = await openLab(kind);
  const { store, close } = openStore(lab.place);
  const replica = replicatedStore(store);
  try {
    const until = Date.now() + 3_600_000;
    for (let each = 0; each < REVOKED; each++) {
      await store.revoke({ kind: "token", jti: `revoked ${each}`, issuer: undefined, until });
    }
    await store.revoke({ kind: "subject", subject: "somebody", until });
    await replica.ready();
    const [copied, asking] = [await guarded(replica), await guarded(store)];
    return [
      ...(await compare(
        `replica: guard, ${kind}`,
        [
          { name: "replica", run: copied },
          { name: `asking ${kind} each time`, run: asking },
        ],
        effort,
      )),
      ...(await compare(
        `replica: guard, ${kind}`,
        [
          { name: `replica, ${AT_ONCE} at once`, run: atOnce(copied) },
          { name: `asking ${kind} each time, ${AT_ONCE} at once`, run: atOnce(asking) },
        ],
        effort,
      )),
    ];
  } finally {
    replica.close();
    await close();
    await lab.close();
  }
}

/** A guarded request over a copy against one that asks the store. */
export const guardJobs: readonly Job[] = (["redis", "postgres"] as const).map((kind) => ({
  name: `replica: guard over ${kind}`,
  measure: (effort) => measure(kind, effort),
}));
