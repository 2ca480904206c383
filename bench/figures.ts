import {
  constants,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
  verify,
  webcrypto,
} from "node:crypto";
import { createVerifier as createFastVerifier, createSigner } from "fast-jwt";
import { verify as honoVerify } from "hono/jwt";
import { jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import type { Algorithm } from "../src/crypto/algorithms.ts";
import type { KeyMaterial } from "../src/crypto/keys.ts";
import type { TokenRules } from "../src/token/verify.ts";
import { type Contender, compare, type Effort, type Ratio } from "./measure.ts";
import { refreshFigure, revocationFigure } from "./store-figures.ts";

/** The built package; its types are those of the source. */
const built = <Module>(path: string): Promise<Module> => import(new URL(`../dist/${path}`, import.meta.url).href);
const { fixedKeys, importSigningKey, importVerifyKey } =
  await built<typeof import("../src/crypto/keys.ts")>("crypto/keys.js");
const { createVerifier, expiredAt } = await built<typeof import("../src/token/verify.ts")>("token/verify.js");
const { encodeToken } = await built<typeof import("../src/token/encode.ts")>("token/encode.js");

const ISSUER = "https://issuer.example";
const AUDIENCE = "https://api.example";
const LEEWAY = 5;
const TOKENS = 1000;
const RULES: TokenRules = {
  leeway: LEEWAY,
  issuer: [ISSUER],
  audience: [AUDIENCE],
  requiredClaims: ["sub", "exp", "jti"],
  verifySub: true,
  jtiString: true,
  cutTimes: false,
  paddedBase64: false,
  lastNameWins: false,
  strictHeader: true,
  maxBytes: 8192,
  maxDepth: 32,
  missingClaim: () => undefined,
};

function makeClaims() {
  const now = Math.floor(Date.now() / 1000);
  return {
    sub: "user-1234567",
    type: "access",
    fresh: false,
    iat: now,
    exp: now + 900,
    jti: randomUUID(),
    iss: ISSUER,
    aud: AUDIENCE,
  };
}

/** Strings as HTTP delivers them: each cut from a header line of its own. */
function deliver(tokens: readonly string[]): string[] {
  return tokens.map((token) => Buffer.from(`Bearer ${token}`, "latin1").toString("latin1").slice("Bearer ".length));
}

/** A contender that gets each token as a new string object, made before its time is taken. */
function reader(name: string, tokens: readonly string[], read: (token: string) => unknown): Contender {
  let queue: string[] = [];
  let at = 0;
  return {
    name,
    prepare(calls) {
      queue = deliver(Array.from({ length: calls }, (_, i) => tokens[(at + i) % tokens.length] as string));
      at = (at + calls) % tokens.length;
    },
    run: (i) => read(queue[i] as string),
  };
}

function ours(material: KeyMaterial, algorithm: Algorithm, entries: number | false) {
  const cache = entries === false ? false : { entries, bytes: 4 * 1024 * 1024 };
  const verifier = createVerifier(fixedKeys([importVerifyKey(material, algorithm)]), RULES, cache);
  return (token: string): unknown => {
    const now = Date.now();
    const outcome = verifier.verify(token, now);
    if (outcome instanceof Promise || outcome instanceof Error || expiredAt(outcome.claims, now, LEEWAY, false)) {
      throw new Error("a good token was refused");
    }
    return outcome;
  };
}

const secretText = randomBytes(48).toString("base64");
const fastOptions = {
  key: secretText,
  algorithms: ["HS256"],
  allowedIss: ISSUER,
  allowedAud: AUDIENCE,
  requiredClaims: ["sub", "exp", "jti"],
  clockTolerance: LEEWAY * 1000,
} as const;
const makeFast = (more: object): ((token: string) => unknown) =>
  createFastVerifier({ ...fastOptions, ...more } as never);

async function hsTokens(count = TOKENS): Promise<string[]> {
  const key = importSigningKey(secretText, "HS256");
  return Promise.all(Array.from({ length: count }, () => encodeToken(key, undefined, makeClaims())));
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const PAIRS: readonly (readonly [Algorithm, () => KeyPair])[] = [
  ["RS256", () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ["ES256", () => generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ["EdDSA", () => generateKeyPairSync("ed25519")],
];
function rawInput(algorithm: Algorithm, key: KeyObject) {
  const hash = algorithm === "EdDSA" ? null : "sha256";
  if (algorithm === "RS256") return { hash, input: { key, padding: constants.RSA_PKCS1_PADDING } };
  return { hash, input: algorithm === "ES256" ? { key, dsaEncoding: "ieee-p1363" as const } : { key } };
}

async function verifyFigure(effort: Effort): Promise<Ratio[]> {
  const tokens = await hsTokens();
  const mine = ours(secretText, "HS256", false);
  const fast = makeFast({});
  const keyObject = createSecretKey(secretText, "utf8");
  const subtle = await webcrypto.subtle.importKey(
    "raw",
    Buffer.from(secretText),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const jsonOptions = { algorithms: ["HS256" as const], issuer: ISSUER, audience: AUDIENCE, clockTolerance: LEEWAY };
  const joseOptions = { ...jsonOptions, requiredClaims: ["sub", "exp", "jti"] };
  const contenders: Contender[] = [
    reader("ours", tokens, mine),
    reader("fast-jwt", tokens, fast),
    reader("jsonwebtoken (KeyObject)", tokens, (token) => jsonwebtoken.verify(token, keyObject, jsonOptions)),
    reader("jose (CryptoKey)", tokens, (token) => jwtVerify(token, subtle, joseOptions)),
    reader("hono/jwt", tokens, (token) =>
      honoVerify(token, subtle as never, { alg: "HS256", iss: ISSUER, aud: AUDIENCE } as never),
    ),
  ];
  const ratios = [...(await compare("verify HS256", contenders, effort))];
  for (const [algorithm, makePair] of PAIRS) {
    const { publicKey, privateKey } = makePair();
    const token = await encodeToken(importSigningKey(privateKey, algorithm), undefined, makeClaims());
    const end = token.lastIndexOf(".");
    const [data, signature] = [Buffer.from(token.slice(0, end)), Buffer.from(token.slice(end + 1), "base64url")];
    const { hash, input } = rawInput(algorithm, publicKey);
    const full = ours(publicKey, algorithm, false);
    const alone: Contender = { name: "crypto.verify alone", run: () => verify(hash, data, input, signature) };
    const payload = token.slice(token.indexOf(".") + 1, end);
    // Whoever wants the claims has to read them: no verifier that does can come closer than this.
    const read = (): unknown => JSON.parse(Buffer.from(payload, "base64url").toString());
    const least: Contender = {
      name: "crypto.verify and reading the claims",
      run: () => verify(hash, data, input, signature) && read(),
    };
    const key = importVerifyKey(publicKey, algorithm);
    const [text, mark] = [token.slice(0, end), token.slice(end + 1)];
    const layer: Contender = { name: "ours, signature only", run: () => key.verify(text, mark) };
    ratios.push(...(await compare(`verify ${algorithm}`, [reader("ours", [token], full), alone, least], effort)));
    ratios.push(...(await compare(`verify ${algorithm}`, [layer, alone], effort)));
  }
  return ratios;
}

async function signFigure(effort: Effort): Promise<Ratio[]> {
  const key = importSigningKey(secretText, "HS256");
  const fast = createSigner({ key: secretText, algorithm: "HS256", noTimestamp: true } as never) as (
    claims: object,
  ) => string;
  const ready = makeClaims();
  // A token is written out in the end, so both are made flat.
  const flat = Buffer.alloc(4096);
  const hs: Contender[] = [
    {
      name: "ours, making claims and jti",
      run: () => flat.write(encodeToken(key, undefined, makeClaims()) as string, "latin1"),
    },
    { name: "fast-jwt, given claims", run: () => flat.write(fast(ready), "latin1") },
  ];
  const ratios = [...(await compare("sign HS256", hs, effort))];
  for (const [algorithm, makePair] of PAIRS) {
    const { privateKey } = makePair();
    const signing = importSigningKey(privateKey, algorithm);
    const { hash, input } = rawInput(algorithm, privateKey);
    const data = randomBytes(300);
    // RSA signs in the thread pool, as the requests of a server do: several at a time.
    const atOnce = algorithm === "RS256" ? 8 : 1;
    const tasks = Array.from({ length: atOnce });
    const alone = (): void => {
      for (let i = 0; i < atOnce; i++) sign(hash, data, input);
    };
    const one = (): unknown => encodeToken(signing, undefined, makeClaims());
    const claims = makeClaims();
    const least = (): void => {
      for (let i = 0; i < atOnce; i++) sign(hash, Buffer.from(JSON.stringify(claims)), input).toString("base64url");
    };
    const pair: Contender[] = [
      {
        name: atOnce === 1 ? "ours" : `ours, ${atOnce} at once`,
        run: () => (atOnce === 1 ? one() : Promise.all(tasks.map(one))),
      },
      { name: "crypto.sign alone", run: alone },
      { name: "crypto.sign and writing the claims", run: least },
    ];
    ratios.push(...(await compare(`sign ${algorithm}`, pair, effort)));
    // Of the signature alone: one at a time, but RSA, whose way is through the thread pool.
    const text = data.toString("latin1");
    const layer: Contender = {
      name: "ours, signature only",
      run: () => (atOnce === 1 ? signing.sign(text) : Promise.all(tasks.map(() => signing.sign(text)))),
    };
    ratios.push(...(await compare(`sign ${algorithm}`, [layer, { name: "crypto.sign alone", run: alone }], effort)));
  }
  return ratios;
}

async function repeatFigure(effort: Effort): Promise<Ratio[]> {
  const tokens = await hsTokens();
  const cached = ours(secretText, "HS256", TOKENS);
  const fastCached = makeFast({ cache: TOKENS });
  const fast = makeFast({});
  const ratios = [
    ...(await compare(
      `${TOKENS} tokens again and again`,
      [
        reader("ours, cache", tokens, cached),
        reader("fast-jwt, cache", tokens, fastCached),
        reader("fast-jwt, no cache", tokens, fast),
      ],
      effort,
    )),
  ];
  // Twenty times as many tokens as there is room: never a hit.
  const many = await hsTokens(20 * 100);
  const missing = ours(secretText, "HS256", 100);
  const without = ours(secretText, "HS256", false);
  const cost: Contender[] = [
    reader("ours, cache without hits", many, missing),
    reader("ours, no cache", many, without),
  ];
  ratios.push(...(await compare("no token twice", cost, effort)));
  return ratios;
}

export const FIGURES: Readonly<Record<string, (effort: Effort) => Promise<Ratio[]>>> = {
  verify: verifyFigure,
  sign: signFigure,
  repeat: repeatFigure,
  refresh: refreshFigure,
  revocation: revocationFigure,
};
