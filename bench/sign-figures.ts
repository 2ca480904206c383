import type { KeyObject } from "node:crypto";
import type { Algorithm } from "../src/crypto/algorithms.ts";
import { importSigningKey } from "../src/crypto/keys.ts";
import { JWTManager } from "../src/manager.ts";
import { floorOfSign } from "./floor.ts";
import { type Job, pair } from "./jobs.ts";
import type { Contender } from "./measure.ts";
import { fastSigner, honoSigner, joseSigner, jsonwebtokenSigner, type Sign } from "./peers.ts";
import { ASYMMETRIC, type KeyPair, makeClaims, makeKeys, minter, secretText } from "./tokens.ts";

// A token is written out in the end, so what is not flat by then is made flat.
const written = Buffer.alloc(8192);
const write = (token: unknown): unknown => (typeof token === "string" ? written.write(token, "latin1") : token);

type Peer = readonly [name: string, make: (keys: KeyPair) => Promise<Sign>, target?: number];

const SECRET_PEERS: readonly Peer[] = [
  ["fast-jwt, given claims", (keys) => fastSigner("HS256", keys), 2],
  ["jsonwebtoken (KeyObject), given claims", (keys) => jsonwebtokenSigner("HS256", keys)],
  ["jose (CryptoKey), given claims", (keys) => joseSigner("HS256", keys)],
  ["hono/jwt (CryptoKey), given claims", honoSigner],
];

const hs256 = SECRET_PEERS.map(([name, make, target]) =>
  pair(
    "sign HS256",
    async () => {
      const keys = makeKeys("HS256");
      const [mint, sign, claims] = [minter("HS256", keys), await make(keys), makeClaims()];
      return [
        { name: "ours, making claims and jti", run: () => write(mint()) },
        { name, run: () => write(sign(claims)) },
      ];
    },
    target,
  ),
);

const tokenPair = pair("createTokenPair HS256", async () => {
  const manager = new JWTManager({ secretKey: secretText, warn: () => {} });
  const sign = await fastSigner("HS256", makeKeys("HS256"));
  const claims = makeClaims();
  return [
    { name: "ours, opening a session in memory", run: () => manager.createTokenPair("user-1234567") },
    { name: "fast-jwt, signing given claims twice", run: () => [write(sign(claims)), write(sign(claims))] },
  ];
});

/** RSA signs in the thread pool, as the requests of a server do: several at a time. */
const atOnce = (algorithm: Algorithm): number => (algorithm === "RS256" || algorithm === "PS256" ? 8 : 1);

function together(name: string, algorithm: Algorithm, one: () => unknown): Contender {
  const times = atOnce(algorithm);
  if (times === 1) return { name, run: one };
  const tasks = Array.from({ length: times });
  return { name: `${name}, ${times} at once`, run: () => Promise.all(tasks.map(one)) };
}

const slow = ASYMMETRIC.flatMap((algorithm): Job[] => {
  const title = `sign ${algorithm}`;
  const whole = (rival: (keys: KeyPair) => Contender | Promise<Contender>, target?: number): Job =>
    pair(
      title,
      async () => {
        const keys = makeKeys(algorithm);
        return [together("ours", algorithm, minter(algorithm, keys)), await rival(keys)];
      },
      target,
    );
  const floor = (keys: KeyPair) => floorOfSign(algorithm, keys.signing as KeyObject, makeClaims(), atOnce(algorithm));
  const signatureOnly = pair(
    title,
    () => {
      const keys = makeKeys(algorithm);
      const key = importSigningKey(keys.signing, algorithm);
      const text = "x".repeat(300);
      return [together("ours, signature only", algorithm, () => key.sign(text)), floor(keys)[0]];
    },
    0.97,
  );
  const peer = (name: string, make: (keys: KeyPair) => Promise<Sign>): Job =>
    whole(async (keys) => {
      const [sign, claims] = [await make(keys), makeClaims()];
      return together(name, algorithm, () => sign(claims));
    });
  return [
    signatureOnly,
    whole((keys) => floor(keys)[0], 0.97),
    whole((keys) => floor(keys)[1]),
    peer("fast-jwt, given claims", (keys) => fastSigner(algorithm, keys)),
    peer("jose (CryptoKey), given claims", (keys) => joseSigner(algorithm, keys)),
  ];
});

export const jobs: readonly Job[] = [...hs256, tokenPair, ...slow];
