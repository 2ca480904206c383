import type { KeyObject } from "node:crypto";
import { importVerifyKey } from "../src/crypto/keys.ts";
import { floorOfVerify } from "./floor.ts";
import { type Job, pair } from "./jobs.ts";
import type { Contender } from "./measure.ts";
import { fastVerifier, honoVerifier, joseVerifier, jsonwebtokenVerifier, type Verify } from "./peers.ts";
import { ASYMMETRIC, inTurn, type KeyPair, makeKeys, mintMany, ourVerifier, reader } from "./tokens.ts";

type Peer = readonly [name: string, make: (keys: KeyPair) => Promise<Verify>, target?: number];

const SECRET_PEERS: readonly Peer[] = [
  ["fast-jwt", (keys) => fastVerifier("HS256", keys), 2.3],
  ["jsonwebtoken (KeyObject)", (keys) => jsonwebtokenVerifier("HS256", keys, false)],
  ["jsonwebtoken (text secret)", (keys) => jsonwebtokenVerifier("HS256", keys, true)],
  ["jose (CryptoKey)", (keys) => joseVerifier("HS256", keys)],
  ["hono/jwt (CryptoKey)", honoVerifier],
];

const hs256 = SECRET_PEERS.map(([name, make, target]) =>
  pair(
    "verify HS256",
    async () => {
      const keys = makeKeys("HS256");
      const tokens = await mintMany("HS256", keys);
      return [
        reader("ours", inTurn(tokens), ourVerifier("HS256", keys, false)),
        reader(name, inTurn(tokens), await make(keys)),
      ];
    },
    target,
  ),
);

const slow = ASYMMETRIC.flatMap((algorithm): Job[] => {
  /** One token, as the primitive has but one, too. */
  const against = (rival: (keys: KeyPair, token: string) => Contender | Promise<Contender>, target?: number): Job =>
    pair(
      `verify ${algorithm}`,
      async () => {
        const keys = makeKeys(algorithm);
        const [token] = (await mintMany(algorithm, keys, 1)) as [string];
        const same = (): string => token;
        return [reader("ours", same, ourVerifier(algorithm, keys, false)), await rival(keys, token)];
      },
      target,
    );
  const peer = (name: string, make: (keys: KeyPair) => Promise<Verify>): Job =>
    against(async (keys, token) => reader(name, () => token, await make(keys)));
  const signatureOnly = pair(
    `verify ${algorithm}`,
    async () => {
      const keys = makeKeys(algorithm);
      const [token] = (await mintMany(algorithm, keys, 1)) as [string];
      const key = importVerifyKey(keys.verifying, algorithm);
      const end = token.lastIndexOf(".");
      const [alone] = floorOfVerify(algorithm, keys.verifying as KeyObject, token);
      return [{ name: "ours, signature only", run: () => key.verify(token, end) }, alone];
    },
    0.97,
  );
  return [
    signatureOnly,
    against((keys, token) => floorOfVerify(algorithm, keys.verifying as KeyObject, token)[0], 0.97),
    against((keys, token) => floorOfVerify(algorithm, keys.verifying as KeyObject, token)[1]),
    peer("fast-jwt", (keys) => fastVerifier(algorithm, keys)),
    peer("jose (CryptoKey)", (keys) => joseVerifier(algorithm, keys)),
  ];
});

export const jobs: readonly Job[] = [...hs256, ...slow];
