import { expect, it } from "vitest";
import { thumbprint } from "../../../src/crypto/thumbprint.ts";
import { keyHolder } from "../../support/dpop.ts";

it("is that of RFC 7638 §3.1 and RFC 8037 §A.3, whatever else the key says", () => {
  const n =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
  const rsa = { kty: "RSA", n, e: "AQAB", alg: "RS256", kid: "2011-04-29" };
  expect(thumbprint(rsa)).toBe("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  const okp = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
  expect(thumbprint(okp)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  const { jwk, jkt } = keyHolder();
  expect([thumbprint(jwk), thumbprint({ use: "sig", ...jwk, kid: "a" })]).toEqual([jkt, jkt]);
});

it("is there for public keys that say what they are", () => {
  const { jwk } = keyHolder();
  const { y, ...half } = jwk;
  const inherited = Object.create({ y }, Object.getOwnPropertyDescriptors(half));
  for (const none of [
    null,
    7,
    "",
    [],
    {},
    { kty: "oct", k: "x" },
    { ...jwk, kty: "ec" },
    half,
    { ...jwk, x: 7 },
    inherited,
  ])
    expect(thumbprint(none)).toBeUndefined();
});
