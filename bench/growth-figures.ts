import { randomBytes } from "node:crypto";
import { fixedKeys, importSigningKey, importVerifyKey } from "../src/crypto/keys.ts";
import { JWTManager } from "../src/manager.ts";
import { CompactTable, readKey } from "../src/stores/replica/table.ts";
import { encodeToken } from "../src/token/encode.ts";
import { tokenRules } from "../src/token/policy.ts";
import { createVerifier, type TokenVerifier } from "../src/token/verify.ts";
import type { Job } from "./jobs.ts";
import { type Contender, compare, type Effort, type Ratio } from "./measure.ts";
import { asRequest, cookieLines, type Lines } from "./requests.ts";
import { inTurn, makeClaims, reader, secretText } from "./tokens.ts";

/** What the cost of one thing is held against, and how many or how large it is at each point. */
type Point = readonly [size: number, contender: Contender];

/** A curve: each point over the first, all in one process, as all run the same code. */
function curve(name: string, makePoints: (quick: boolean) => Promise<readonly Point[]>): Job {
  const figure = `growth: ${name}`;
  return {
    name: figure,
    async measure(effort: Effort): Promise<readonly Ratio[]> {
      const points = await makePoints(effort.quick);
      const ratios = await compare(
        figure,
        points.map(([, contender]) => contender),
        effort,
      );
      return ratios.map((ratio, i) => ({ ...ratio, size: points[i + 1]?.[0] }));
    },
  };
}

const key = importSigningKey(secretText, "HS256");
const mint = (claims: Record<string, unknown> = {}): string =>
  encodeToken(key, undefined, { ...makeClaims(), ...claims }) as string;

const { config } = new JWTManager({ secretKey: secretText, audience: false, warn: () => {} });
const RULES = tokenRules(config);

function reading(name: string, tokens: readonly string[], verifier: TokenVerifier): Contender {
  return reader(name, inTurn(tokens), (token) => {
    const outcome = verifier.verify(token, Date.now());
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
}

const verifierOf = (cached: number): TokenVerifier => {
  const keys = fixedKeys([importVerifyKey(secretText, "HS256")]);
  const verifier = createVerifier(keys, RULES, cached > 0 && { entries: cached, bytes: Number.POSITIVE_INFINITY });
  return verifier;
};

const cachedTokens = curve("cached tokens", async (quick) =>
  [100, 1000, 10_000, ...(quick ? [] : [100_000])].map((size): Point => {
    const verifier = verifierOf(size);
    const tokens = Array.from({ length: size }, () => mint());
    // A token is remembered when it comes for the second time.
    for (let turn = 0; turn < 2; turn++) for (const token of tokens) verifier.verify(token, Date.now());
    return [size, reading(`${size}`, tokens, verifier)];
  }),
);

const revoked = curve("revoked entries", async (quick) =>
  [1, 100, 10_000, 1_000_000, ...(quick ? [] : [10_000_000])].map((size): Point => {
    const table = new CompactTable(false);
    const until = Date.now() + 86_400_000;
    const words = new Uint32Array(4);
    for (let left = size; left > 0; left -= 4096) {
      const bytes = randomBytes(16 * Math.min(left, 4096));
      for (let at = 0; at < bytes.length; at += 16) table.set(readKey(bytes.subarray(at, at + 16), words), until);
    }
    let asked = randomBytes(0);
    const prepare = (calls: number): void => {
      asked = randomBytes(16 * calls);
    };
    return [
      size,
      { name: `${size}`, prepare, run: (i) => table.has(readKey(asked.subarray(i * 16, i * 16 + 16), words)) },
    ];
  }),
);

const keysInSet = curve("keys in the set", async () =>
  [1, 10, 100, 1000].map((size): Point => {
    const jwk = (which: number) => ({
      kty: "oct",
      alg: "HS256",
      kid: `key-${which}`,
      k: randomBytes(48).toString("base64url"),
    });
    const jwks = Array.from({ length: size }, (_, which) => jwk(which));
    const verifier = createVerifier(fixedKeys(jwks.map((each) => importVerifyKey(each, "HS256"))), RULES, false);
    const tokens = jwks.map((each) => encodeToken(importSigningKey(each, "HS256"), undefined, makeClaims()) as string);
    return [size, reading(`${size}`, tokens, verifier)];
  }),
);

/** KiB of a token. The last is just under the most that is taken. */
const SIZES = [0.3, 1, 2, 4, 7.9];
const ofSize = (kib: number): string => {
  const base = mint().length;
  return mint({ filler: "x".repeat(Math.max(0, Math.floor(((kib * 1024 - base) * 3) / 4))) });
};
const tokenSize = (cached: boolean): Job =>
  curve(`KiB of the token, ${cached ? "cached" : "not cached"}`, async () =>
    SIZES.map((kib): Point => {
      const tokens = Array.from({ length: 100 }, () => ofSize(kib));
      return [kib, reading(`${kib}`, tokens, verifierOf(cached ? 1000 : 0))];
    }),
  );

const cookies = curve("cookies in the header", async () => {
  const manager = new JWTManager({ secretKey: secretText, tokenLocation: ["cookies"], warn: () => {} });
  const guard = manager.guard();
  const { access_token } = await manager.createTokenPair("user-1234567");
  const own = await cookieLines(manager, access_token);
  return [0, 10, 30, 100].map((others): Point => {
    const before = Array.from({ length: others }, (_, i) => `cookie_${i}=${randomBytes(16).toString("hex")}; `).join(
      "",
    );
    const lines: Lines = own.map(([name, value]) => [name, name === "Cookie" ? before + value : value]);
    let queue: ReturnType<typeof asRequest>[] = [];
    const prepare = (calls: number): void => {
      queue = Array.from({ length: calls }, () => asRequest("GET", lines));
    };
    return [
      others + 2,
      { name: `${others + 2}`, prepare, run: (i) => guard.check(queue[i] as (typeof queue)[number]) },
    ];
  });
});

export const jobs: readonly Job[] = [cachedTokens, revoked, keysInSet, tokenSize(true), tokenSize(false), cookies];
