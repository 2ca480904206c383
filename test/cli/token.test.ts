import { createHmac } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command, type Ran, type Setting, temporaryFolder } from "./command.ts";

const SECRET = "k7Jx-a-marker-secret-of-this-test-file-Q2v";
const env = { JWT_SECRET_KEY: SECRET };
const mint = async (...more: string[]): Promise<string> =>
  (await command(["token", "mint", "ada", ...more], { env })).out.trim();
const verify = (token: string, more: readonly string[] = [], setting: Setting = { env }): Promise<Ran> =>
  command(["token", "verify", token, "--json", ...more], setting);
const inspect = async (token: string): Promise<Record<string, unknown>> =>
  (await command(["token", "inspect", token, "--json"])).json();
const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token of any header and claims, signed with the secret. */
function forge(claims: object, header: object = { alg: "HS256", typ: "JWT" }): string {
  const signed = `${segment(header)}.${segment(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

describe("token mint", () => {
  it("makes what verify takes and inspect shows", async () => {
    const token = await mint("--claim", 'roles=["admin"]', "--claim", "team=red", "--fresh", "--expires", "90s");
    const { claims } = await inspect(token);
    expect(claims).toMatchObject({ sub: "ada", type: "access", fresh: true, roles: ["admin"], team: "red" });
    const { iat, exp } = claims as { iat: number; exp: number };
    expect(exp - iat).toBe(90);
    const { code, json } = await verify(token, ["--type", "access", "--fresh"]);
    expect([code, json()]).toMatchObject([0, { ok: true, valid: true, claims: { sub: "ada" } }]);
  });

  it("makes refresh tokens, and writes to a file for its owner", async () => {
    const { code, out, cwd } = await command(["token", "mint", "ada", "--refresh", "--out", "token"], { env });
    const token = readFileSync(join(cwd, "token"), "utf8").trim();
    expect([code, statSync(join(cwd, "token")).mode & 0o777]).toEqual([0, 0o600]);
    expect(out).not.toContain(token);
    expect((await verify(token, ["--type", "refresh"])).code).toBe(0);
    const wrong = await verify(token, ["--type", "access"]);
    expect([wrong.code, wrong.json()]).toMatchObject([1, { valid: false, error: { code: "wrong_token_type" } }]);
  });

  it("refuses what cannot go into a token, and says why", async () => {
    const rows = [
      [["ada", "--claim", "exp=1"], "claim_reserved"],
      [["ada", "--expires", "0"], "lifetime_invalid"],
      [["ada", "--expires", "25h"], "lifetime_invalid"],
      [["ada", "--expires", "soon"], "lifetime_invalid"],
      [[""], "identity_invalid"],
    ] as const;
    for (const [words, expected] of rows) {
      const { code, json } = await command(["token", "mint", ...words, "--json"], { env });
      expect([code, json()]).toMatchObject([1, { ok: false, error: { code: expected } }]);
    }
  });
});

describe("the configuration", () => {
  const told = async (words: readonly string[], setting: Setting): Promise<unknown> => {
    const { code, json, out } = await command([...words, "--json"], setting);
    expect(code).toBe(1);
    expect(out).not.toContain("marker");
    return (json().error as { faults?: unknown }).faults;
  };
  const MINT = ["token", "mint", "ada"];

  it("is named by its variables where it is wrong, all faults at once", async () => {
    expect(await told(MINT, {})).toEqual([expect.stringMatching(/^JWT_SECRET_KEY is missing/)]);
    expect(await told(MINT, { env: { JWT_SECRET_KEY: "marker", JWT_LEEWAY: "long", JWT_COLOUR: "red" } })).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^JWT_SECRET_KEY: .*32 bytes/),
        expect.stringMatching(/^JWT_DECODE_LEEWAY|^JWT_LEEWAY/),
        expect.stringMatching(/^JWT_COLOUR is no option/),
      ]),
    );
    const pair = await command(["keys", "generate"]);
    const JWT_PUBLIC_KEY_FILE = join(pair.cwd, "jwt-public.pem");
    expect(await told(["token", "verify", "a.b.c"], { env: { JWT_ALGORITHM: "ES256", JWT_PUBLIC_KEY_FILE } })).toEqual([
      expect.stringMatching(/^JWT_DECODE_AUDIENCE must be decided.*JWT_DECODE_AUDIENCE=false/),
    ]);
  });

  it("comes from files, too", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "secret"), `${SECRET}\n`);
    writeFileSync(join(cwd, "settings.env"), "JWT_SECRET_KEY_FILE=secret\nJWT_ENCODE_ISSUER=by-the-file\n");
    const options = [...MINT, "--env", "settings.env"];
    const byFile = (await command(options, { cwd })).out.trim();
    expect((await inspect(byFile)).claims).toMatchObject({ iss: "by-the-file" });
    expect((await verify(byFile)).code).toBe(0);
    const wins = (await command(options, { cwd, env: { JWT_ENCODE_ISSUER: "by-the-environment" } })).out.trim();
    expect((await inspect(wins)).claims).toMatchObject({ iss: "by-the-environment" });
    expect((await command([...MINT, "--env", "nowhere"], { cwd })).err).toMatch(/nowhere cannot be read \(ENOENT\)/);
    expect(await told(MINT, { cwd, env: { JWT_SECRET_KEY_FILE: "nowhere" } })).toHaveLength(1);
    expect(await told(MINT, { cwd, env: { JWT_SECRET_KEY_FILE: "secret", JWT_SECRET_KEY: SECRET } })).toHaveLength(1);
  });
});

describe("reading a token", () => {
  it("takes an argument, a file or standard input, bare or as it stands in the header", async () => {
    const token = await mint();
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "token"), `Bearer ${token}\n`);
    const runs = await Promise.all([
      command(["token", "verify", `bearer ${token}`], { env }),
      command(["token", "verify", "--file", "token"], { cwd, env }),
      command(["token", "verify"], { env, stdin: `${token}\n` }),
      command(["token", "verify", "-"], { env, stdin: token }),
      command(["token", "verify", "--file", "-"], { env, stdin: token }),
    ]);
    expect(runs.map(({ code, err }) => [code, err])).toEqual(Array(5).fill([0, ""]));
    for (const { out } of runs) expect(out).not.toContain(token.split(".")[2]);
  });

  it("gives up at what is far too long, and at files that are not there", async () => {
    const long = await command(["token", "inspect"], { stdin: "x".repeat(100_000) });
    expect([long.code, long.err]).toEqual([1, expect.stringContaining("longer than any token")]);
    const missing = await command(["token", "inspect", "--file", "nowhere"]);
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining("nowhere cannot be read (ENOENT)")]);
  });
});

describe("token verify", () => {
  const now = Math.floor(Date.now() / 1000);
  const good = { sub: "ada", type: "access", jti: "j", iat: now, exp: now + 60 };
  const rows: readonly (readonly [string, string, string])[] = [
    ["an expired one", forge({ ...good, iat: now - 90, exp: now - 30 }), "token_expired"],
    ["one of tomorrow", forge({ ...good, iat: now + 86_400 }), "token_not_yet_valid"],
    ["one for others", forge({ ...good, aud: "others" }), "token_audience"],
    ["one without an end", forge({ sub: "ada", type: "access", jti: "j" }), "token_claim"],
    ["another signature", `${forge(good).slice(0, -8)}AAAAAAAA`, "token_invalid"],
    ["no signature", `${segment({ alg: "none" })}.${segment(good)}.`, "token_invalid"],
    ["another algorithm", forge(good, { alg: "HS512" }), "token_invalid"],
    ["no token", "marker", "token_invalid"],
  ];

  it("takes what was forged with the right secret, so that the rows below mean something", async () => {
    expect((await verify(forge(good))).code).toBe(0);
  });

  it.each(rows)("refuses %s", async (_name, token, expected) => {
    const [json, text] = await Promise.all([verify(token), command(["token", "verify", token], { env })]);
    expect([json.code, json.json()]).toMatchObject([1, { ok: false, valid: false, error: { code: expected } }]);
    expect([text.code, text.out]).toEqual([1, expect.stringMatching(`^The token is refused: .*\\[${expected}\\]`)]);
    for (const { out, err } of [json, text]) expect(out + err).not.toMatch(/eyJ|marker/);
  });

  it("asks for freshness", async () => {
    expect((await verify(await mint(), ["--fresh"])).json()).toMatchObject({ error: { code: "token_not_fresh" } });
  });
});

describe("token inspect", () => {
  it("says that nothing is verified, and reads the times", async () => {
    const past = Math.floor(Date.now() / 1000) - 7200;
    const { code, out } = await command(["token", "inspect", forge({ sub: "ada", exp: past })]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Not verified: anybody can have written this\.\nheader:\n {2}\{\n {4}"alg": "HS256"/);
    expect(out).toMatch(new RegExp(`exp: expired ${new Date(past * 1000).toISOString()}, 2 hours ago`));
  });

  it("shows what no guard would take", async () => {
    const odd = `${segment({ alg: "none", kid: "../../etc/passwd" })}.${segment({ sub: 7, exp: "never" })}.`;
    expect(await inspect(odd)).toEqual({
      ok: true,
      verified: false,
      header: { alg: "none", kid: "../../etc/passwd" },
      claims: { sub: 7, exp: "never" },
    });
  });

  it("lets no claim command the terminal", async () => {
    const text = "\u001b[2J\u009b31m\u202e";
    const token = forge({ sub: text });
    const { out } = await command(["token", "inspect", token]);
    for (const character of "\u001b\u009b\u202e") expect(out).not.toContain(character);
    expect((await inspect(token)).claims).toEqual({ sub: text });
  });

  it.each(["marker", "marker.marker", "eyJhbGciOiJIUzI1NiJ9.marker!.x", "eyJhbGciOiJIUzI1NiJ9.e30.e30.e30"])(
    "says why %s is none, without repeating it",
    async (text) => {
      const { code, out, err } = await command(["token", "inspect", text]);
      expect([code, err]).toEqual([1, ""]);
      expect(out).toMatch(/^This is no token: /);
      expect(out).not.toMatch(/marker|eyJ/);
    },
  );
});
