import { constants, type KeyObject, type SignKeyObjectInput, sign, verify } from "node:crypto";
import type { Algorithm } from "../src/crypto/algorithms.ts";
import type { Contender } from "./measure.ts";

/** What `crypto.sign` and `crypto.verify` want to be told. */
export function rawInput(
  algorithm: Algorithm,
  key: KeyObject,
): { hash: string | null; input: SignKeyObjectInput | KeyObject } {
  const hash = algorithm === "EdDSA" ? null : "sha256";
  if (algorithm === "PS256") return { hash, input: { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } };
  return { hash, input: algorithm === "ES256" ? { key, dsaEncoding: "ieee-p1363" } : key };
}

/** The bare primitive over one token, and the least that anybody must do who wants to read its claims. */
export function floorOfVerify(algorithm: Algorithm, key: KeyObject, token: string): readonly [Contender, Contender] {
  const end = token.lastIndexOf(".");
  const [data, signature] = [Buffer.from(token.slice(0, end)), Buffer.from(token.slice(end + 1), "base64url")];
  const payload = token.slice(token.indexOf(".") + 1, end);
  const { hash, input } = rawInput(algorithm, key);
  const alone = (): boolean => verify(hash, data, input, signature);
  const read = (): unknown => JSON.parse(Buffer.from(payload, "base64url").toString());
  return [
    { name: "crypto.verify alone", run: alone },
    { name: "crypto.verify and reading the claims", run: () => alone() && read() },
  ];
}

/** The bare primitive over as many bytes, so many times, and with writing the claims. */
export function floorOfSign(
  algorithm: Algorithm,
  key: KeyObject,
  claims: Record<string, unknown>,
  times: number,
): readonly [Contender, Contender] {
  const { hash, input } = rawInput(algorithm, key);
  const data = Buffer.from("x".repeat(300));
  const repeat = (one: () => unknown) => (): void => {
    for (let i = 0; i < times; i++) one();
  };
  const write = (): string => sign(hash, Buffer.from(JSON.stringify(claims)), input).toString("base64url");
  return [
    { name: "crypto.sign alone", run: repeat(() => sign(hash, data, input)) },
    { name: "crypto.sign and writing the claims", run: repeat(write) },
  ];
}
