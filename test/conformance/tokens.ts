import { constants, createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { parseSetCookie } from "./cookies.ts";
import type { JsonObject, KeyReader, VerifyKey } from "./format.ts";
import { isObject } from "./values.ts";

/** A token that a step minted, read without the library under test. */
export interface MintedToken {
  readonly token: string;
  readonly header: JsonObject;
  readonly payload: JsonObject;
}

/** Reads a compact JWS; `undefined` for anything else. */
export function readToken(token: unknown): MintedToken | undefined {
  if (typeof token !== "string" || !/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) return undefined;
  try {
    const [header, payload] = token
      .split(".", 2)
      .map((part): unknown => JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
    return isObject(header) && isObject(payload) ? { token, header, payload } : undefined;
  } catch {
    return undefined;
  }
}

/** The token minted by a step: the member `token` of its answer, or else the value of the token cookie. */
export function mintedToken(json: unknown, setCookies: readonly string[]): MintedToken | undefined {
  const inBody = isObject(json) && Object.hasOwn(json, "token") ? readToken(json.token) : undefined;
  if (inBody) return inBody;
  for (const line of setCookies) {
    const inCookie = readToken(parseSetCookie(line).value);
    if (inCookie) return inCookie;
  }
  return undefined;
}

/** Verifies a signature with nothing but `node:crypto`. */
export function verifySignature(token: string, by: VerifyKey, key: KeyReader): boolean {
  const algorithm = String(readToken(token)?.header.alg);
  const family = /^([HRPE]S)(256|384|512)$/.exec(algorithm);
  const cut = token.lastIndexOf(".");
  const signed = Buffer.from(token.slice(0, cut), "latin1");
  const signature = Buffer.from(token.slice(cut + 1), "base64url");

  if ("secret" in by) {
    if (family?.[1] !== "HS") return false;
    const mac = createHmac(`sha${family[2]}`, Buffer.from(by.secret, "utf8")).update(signed).digest();
    return mac.length === signature.length && timingSafeEqual(mac, signature);
  }

  const publicKey = createPublicKey(key(by.file));
  const kind = publicKey.asymmetricKeyType;
  if (algorithm === "EdDSA") return kind === "ed25519" && verify(null, signed, publicKey, signature);
  const hash = `sha${family?.[2]}`;
  switch (family?.[1]) {
    case "RS":
      return kind === "rsa" && verify(hash, signed, publicKey, signature);
    case "PS": {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
      return kind === "rsa" && verify(hash, signed, { key: publicKey, padding, saltLength }, signature);
    }
    case "ES":
      return kind === "ec" && verify(hash, signed, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
    default:
      return false;
  }
}
