import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JWTManager } from "jwt-extended";
import { describe, expect, it } from "vitest";
import { thumbprint } from "../../src/crypto/thumbprint.ts";
import { command, temporaryFolder } from "./command.ts";

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
const read = (...path: string[]): string => readFileSync(join(...path), "utf8");

describe("secret", () => {
  it("is written for its owner alone, and never shown", async () => {
    const { code, out, err, cwd } = await command(["secret"]);
    const secret = read(cwd, "jwt-secret");
    expect([code, err, modeOf(join(cwd, "jwt-secret"))]).toEqual([0, "", "600"]);
    expect(secret).toMatch(/^[\w-]{64}\n$/);
    expect(out).not.toContain(secret.trim());
    expect(out).toContain("JWT_SECRET_KEY_FILE=jwt-secret");
    for (const algorithm of ["HS256", "HS384", "HS512"]) {
      const manager = new JWTManager({ secretKey: secret.trim(), algorithm, store: null });
      expect(await manager.getJti(await manager.createAccessToken("ada"))).toMatch(/./);
    }
  });

  it("replaces nothing unless asked to", async () => {
    const { cwd } = await command(["secret", "--json"]);
    const first = read(cwd, "jwt-secret");
    const again = await command(["secret", "--json"], { cwd });
    expect([again.code, again.json()]).toMatchObject([1, { ok: false, error: { code: "file_exists" } }]);
    expect(read(cwd, "jwt-secret")).toBe(first);
    const forced = await command(["secret", "--force", "--bytes", "32", "--json"], { cwd });
    expect(forced.json()).toEqual({ ok: true, bytes: 32, file: "jwt-secret" });
    expect(read(cwd, "jwt-secret")).toMatch(/^[\w-]{43}\n$/);
    expect([modeOf(join(cwd, "jwt-secret")), readdirSync(cwd)]).toEqual(["600", ["jwt-secret"]]);
  });

  it("is written through no link", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "victim"), "untouched");
    symlinkSync("victim", join(cwd, "jwt-secret"));
    symlinkSync("nowhere", join(cwd, "dangling"));
    expect((await command(["secret"], { cwd })).code).toBe(1);
    expect((await command(["secret", "--out", "dangling"], { cwd })).code).toBe(1);
    expect(existsSync(join(cwd, "nowhere"))).toBe(false);
    expect((await command(["secret", "--force"], { cwd })).code).toBe(0);
    expect([read(cwd, "victim"), read(cwd, "jwt-secret").length]).toEqual(["untouched", 65]);
  });

  it("is printed on demand, and then written nowhere", async () => {
    const { code, out, cwd } = await command(["secret", "--print"]);
    expect([code, readdirSync(cwd)]).toEqual([0, []]);
    expect(out).toMatch(/^[\w-]{64}\n$/);
    expect((await command(["secret", "--print"])).out).not.toBe(out);
  });

  it("says where it cannot be written", async () => {
    const { code, err } = await command(["secret", "--out", "no/such/folder/secret"]);
    expect([code, err]).toEqual([1, expect.stringContaining("cannot be written (ENOENT)")]);
  });
});

const BEGINNING = "-----BEGIN PRIVATE KEY-----";

describe("keys generate", () => {
  it.each(["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"])("makes a pair that signs %s", async (algorithm) => {
    const { code, out, cwd } = await command([
      "keys",
      "generate",
      "--algorithm",
      algorithm,
      "--bits",
      "2048",
      "--json",
    ]);
    const [privateKey, publicKey] = [read(cwd, "jwt-private.pem"), read(cwd, "jwt-public.pem")];
    expect([code, modeOf(join(cwd, "jwt-private.pem"))]).toEqual([0, "600"]);
    expect(privateKey).toContain(BEGINNING);
    const { kid, publicJwk } = JSON.parse(out);
    expect([thumbprint(publicJwk), publicJwk.kid, publicJwk.alg]).toEqual([kid, kid, algorithm]);
    expect(publicJwk).not.toHaveProperty("d");
    expect(out).not.toMatch(/PRIVATE/);
    const token = await new JWTManager({ privateKey, algorithm, store: null }).createAccessToken("ada");
    const reader = new JWTManager({ publicKey, algorithm, audience: false });
    expect(await reader.decodeToken(token)).toMatchObject({ sub: "ada" });
    expect(await new JWTManager({ publicKey: publicJwk, algorithm, audience: false }).decodeToken(token)).toBeDefined();
  });

  it("writes JSON Web Keys that bear their name", async () => {
    const { code, out, cwd } = await command(["keys", "generate", "--format", "jwk", "--out", "mine"]);
    const [own, shared] = ["private", "public"].map((kind) => JSON.parse(read(cwd, `mine-${kind}.jwk.json`)));
    expect([code, modeOf(join(cwd, "mine-private.jwk.json"))]).toEqual([0, "600"]);
    expect(out).not.toContain(own.d);
    expect([own.kid, shared.d]).toEqual([shared.kid, undefined]);
    const signer = new JWTManager({ privateKey: own, algorithm: "ES256", store: null });
    const token = await signer.createAccessToken("ada");
    expect(signer.getUnverifiedHeader(token).kid).toBe(own.kid);
    const reader = new JWTManager({ publicKey: { keys: [shared] }, algorithm: "ES256", audience: false });
    expect(await reader.decodeToken(token)).toMatchObject({ sub: "ada" });
  });

  it("writes both or none", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "jwt-public.pem"), "somebody else's");
    expect((await command(["keys", "generate"], { cwd })).code).toBe(1);
    expect(readdirSync(cwd)).toEqual(["jwt-public.pem"]);
    expect((await command(["keys", "generate", "--force"], { cwd })).code).toBe(0);
    expect(readdirSync(cwd)).toEqual(["jwt-private.pem", "jwt-public.pem"]);
  });

  it("prints the private key on demand only", async () => {
    const printed = await command(["keys", "generate", "--print"]);
    expect([printed.out.startsWith(BEGINNING), readdirSync(printed.cwd)]).toEqual([true, []]);
    expect((await command(["keys", "generate"])).out).not.toContain("PRIVATE KEY");
  });
});
