import { createPublicKey } from "node:crypto";
import { compactVerify, jwtVerify } from "jose";
import { fromFlaskConfig, JWTManager, type JwtOptions } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { readCorpus } from "./conformance/format.ts";
import { runInterop } from "./conformance/interop.ts";
import { opensslFound, opensslVerifies } from "./conformance/openssl.ts";
import { available } from "./support/require.ts";

const { interop, key } = readCorpus();

describe("tokens of Flask-JWT-Extended", () => {
  it.each(interop)("$id: $about", async (entry) => {
    expect((await runInterop(entry, key)).faults).toEqual([]);
  });
});

const SECRET = "interop-secret-0123456789abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGH";
const KEY_FILES: Readonly<Record<string, string>> = {
  RS256: "rsa1",
  RS384: "rsa1",
  RS512: "rsa2",
  PS256: "rsa1",
  PS384: "rsa2",
  PS512: "rsa1",
  ES256: "ec256",
  ES384: "ec384",
  ES512: "ec521",
  EdDSA: "ed25519",
};
const ALGORITHMS = ["HS256", "HS384", "HS512", ...Object.keys(KEY_FILES)];

interface Minting {
  readonly algorithm: string;
  readonly mode: string;
  readonly options: JwtOptions;
  /** What verifies: the secret, or the public key as PEM. */
  readonly verifier: string;
}

/** Every algorithm, in the library's own mode and as a stand-in for a Flask service. */
const MINTINGS: readonly Minting[] = ALGORITHMS.flatMap((algorithm): Minting[] => {
  const file = KEY_FILES[algorithm];
  const privateKey = file === undefined ? undefined : key(`${file}.private.pem`);
  const verifier = file === undefined ? SECRET : key(`${file}.public.pem`);
  const own: JwtOptions = { algorithm, ...(privateKey === undefined ? { secretKey: SECRET } : { privateKey }) };
  const flask = fromFlaskConfig({
    JWT_ALGORITHM: algorithm,
    ...(privateKey === undefined
      ? { JWT_SECRET_KEY: SECRET }
      : { JWT_PRIVATE_KEY: privateKey, JWT_PUBLIC_KEY: verifier }),
  });
  return [
    { algorithm, mode: "own", options: own, verifier },
    { algorithm, mode: "flask", options: flask, verifier },
  ];
});

const mint = async ({ options }: Minting): Promise<string> =>
  await new JWTManager({ ...options, warn: () => {} }).createAccessToken("zoë", {
    claims: { text: "Grüße, 世界 🌍", nested: { list: [1, 2.5, null] } },
  });

describe("our tokens", () => {
  it.each(MINTINGS)("$algorithm ($mode) is accepted by jose", async (minting) => {
    const token = await mint(minting);
    const isSecret = minting.algorithm.startsWith("HS");
    const verifier = isSecret ? new TextEncoder().encode(minting.verifier) : createPublicKey(minting.verifier);
    const { payload, protectedHeader } = await jwtVerify(token, verifier, { algorithms: [minting.algorithm] });
    expect(protectedHeader.alg).toBe(minting.algorithm);
    expect(payload).toMatchObject({ sub: "zoë", type: "access", text: "Grüße, 世界 🌍" });
    expect(payload.nested).toEqual({ list: [1, 2.5, null] });
    // The comparison has teeth: one changed character of the payload is refused.
    const [header, body, signature] = token.split(".") as [string, string, string];
    const changed = `${header}.${body.slice(0, -2)}${body.at(-2) === "A" ? "B" : "A"}${body.at(-1)}.${signature}`;
    await expect(compactVerify(changed, verifier)).rejects.toThrow();
  });

  describe.skipIf(!available("the openssl command", opensslFound))(
    "openssl (skipped where the command is missing)",
    () => {
      it.each(MINTINGS)("verifies $algorithm ($mode)", async (minting) => {
        const token = await mint(minting);
        expect(opensslVerifies(token, minting.algorithm, minting.verifier)).toBe(true);
        const other = await mint(minting);
        const swapped = `${token.slice(0, token.lastIndexOf("."))}${other.slice(other.lastIndexOf("."))}`;
        expect(opensslVerifies(swapped, minting.algorithm, minting.verifier)).toBe(false);
      });
    },
  );
});
