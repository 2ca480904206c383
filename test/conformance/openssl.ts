import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const openssl = (parameters: readonly string[], input?: Buffer): SpawnSyncReturns<Buffer> =>
  spawnSync("openssl", parameters, { ...(input ? { input } : {}), timeout: 20_000 });

/** Whether the command is on this machine. */
export const opensslFound: boolean = openssl(["version"]).status === 0;

/** The two halves of an ECDSA signature (RFC 7518 §3.4) as a DER sequence of two integers. */
function derSignature(halves: Buffer): Buffer {
  const integer = (half: Buffer): Buffer => {
    let digits = half;
    while (digits.length > 1 && digits[0] === 0) digits = digits.subarray(1);
    if ((digits[0] as number) >= 0x80) digits = Buffer.concat([Buffer.from([0]), digits]);
    return Buffer.concat([Buffer.from([0x02, digits.length]), digits]);
  };
  const middle = halves.length / 2;
  const content = Buffer.concat([integer(halves.subarray(0, middle)), integer(halves.subarray(middle))]);
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([0x30, ...length]), content]);
}

/** Verifies a token's signature with the `openssl` command. `verifier` is the secret, or the public key as PEM. */
export function opensslVerifies(token: string, algorithm: string, verifier: string): boolean {
  const cut = token.lastIndexOf(".");
  const signed = Buffer.from(token.slice(0, cut), "latin1");
  const signature = Buffer.from(token.slice(cut + 1), "base64url");
  const digest = `-sha${algorithm.slice(2)}`;
  if (algorithm.startsWith("HS")) {
    const secret = `hexkey:${Buffer.from(verifier, "utf8").toString("hex")}`;
    const result = openssl(["dgst", digest, "-mac", "HMAC", "-macopt", secret, "-binary"], signed);
    if (result.status !== 0) throw new Error(result.stderr.toString());
    return signature.equals(result.stdout);
  }

  const folder = mkdtempSync(join(tmpdir(), "jwt-extended-openssl-"));
  try {
    const file = (name: string, content: string | Buffer): string => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    };
    const publicKey = file("public.pem", verifier);
    const data = file("signed", signed);
    const proof = file("signature", algorithm.startsWith("ES") ? derSignature(signature) : signature);
    const pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"];
    const result = openssl(
      algorithm === "EdDSA"
        ? ["pkeyutl", "-verify", "-pubin", "-inkey", publicKey, "-rawin", "-in", data, "-sigfile", proof]
        : ["dgst", digest, "-verify", publicKey, "-signature", proof, ...(algorithm.startsWith("PS") ? pss : []), data],
    );
    // Anything but a clear yes or no is a fault of the call.
    const said = `${result.stdout}${result.stderr}`;
    if (/Verified OK|Signature Verified Successfully/.test(said)) return result.status === 0;
    if (/Verification failure|Signature Verification Failure/i.test(said)) return false;
    throw new Error(`openssl: ${said}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
