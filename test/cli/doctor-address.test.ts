import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cookieFindings } from "../../src/cli/doctor/cookies.ts";
import { opensslFound } from "../conformance/openssl.ts";
import { listen } from "../support/harness/tools.ts";
import { freePort } from "../support/redis.ts";
import { available } from "../support/require.ts";
import { command, temporaryFolder } from "./command.ts";

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly says: string;
  readonly mend?: string;
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

const HEADERS = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Content-Type": "text/html",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
const TOKEN = `${Buffer.from('{"alg":"HS256"}').toString("base64url")}.marker.marker`;
const publicJwk = {
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" }),
  alg: "ES256",
  kid: "one",
};

/** What a server without fault does, but for what a case puts in place of its routes, or of the headers of all its answers. */
function listenerOf(
  routes: Readonly<Record<string, Handler>> = {},
  headers: Readonly<Record<string, string>> = {},
): Handler {
  const good: Readonly<Record<string, Handler>> = {
    "/": (_req, res) => void res.end("<!doctype html>"),
    "/protected": (_req, res) => void res.writeHead(401, { "WWW-Authenticate": "Bearer" }).end(),
    "/.well-known/jwks.json": (_req, res) => void res.end(JSON.stringify({ keys: [publicJwk] })),
    "/login": (_req, res) =>
      void res
        .writeHead(201, {
          "Cache-Control": "no-store",
          "Set-Cookie": `access_token=${TOKEN}; Path=/; HttpOnly; SameSite=Lax`,
        })
        .end(),
  };
  return (req, res) => {
    for (const [name, value] of Object.entries({ ...HEADERS, ...headers }))
      if (value !== "") res.setHeader(name, value);
    const handler = { ...good, ...routes }[req.url ?? ""];
    if (handler) handler(req, res);
    else res.writeHead(404).end();
  };
}

const serverOf = (...given: Parameters<typeof listenerOf>) => listen(createServer(listenerOf(...given)));

async function examine(url: string, words: readonly string[] = [], cwd = temporaryFolder(), env = {}) {
  const { code, json, out, err } = await command(["doctor", url, "--json", ...words], { cwd, env });
  expect([err, out]).toEqual(["", expect.not.stringMatching(/marker/)]);
  const { ok, findings } = json() as unknown as { ok: boolean; findings: Finding[] };
  expect(code).toBe(ok ? 0 : 1);
  return { code, findings, bad: findings.filter(({ level }) => level === "fault" || level === "warning") };
}

async function examineOne(...server: Parameters<typeof serverOf>) {
  const { url, close } = await serverOf(...server);
  try {
    return await examine(url);
  } finally {
    await close();
  }
}

const answering =
  (status: number, body: string, headers: Readonly<Record<string, string | string[]>> = {}): Handler =>
  (_req, res) =>
    void res.writeHead(status, headers).end(body);
const keys = (...set: object[]): Readonly<Record<string, Handler>> => ({
  "/.well-known/jwks.json": answering(200, JSON.stringify({ keys: set })),
});
const cors = (allow: (origin: string) => Readonly<Record<string, string>>): Readonly<Record<string, Handler>> => ({
  "/protected": (req, res) =>
    void res.writeHead(401, { "WWW-Authenticate": "Bearer", ...allow(req.headers.origin ?? "") }).end(),
});
const WITH = { "Access-Control-Allow-Credentials": "true" };

describe("the doctor, at a running address", () => {
  it("finds nothing wrong with a good one, logs in, and asks every place", async () => {
    const { url, close } = await serverOf();
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "login.json"), JSON.stringify({ username: "ada", password: "marker" }));
    try {
      const { code, findings } = await examine(url, ["--login", "/login", "--credentials", "login.json"], cwd);
      expect([code, findings.map(({ check, level }) => `${level} ${check}`)]).toEqual([
        0,
        [
          "skipped configuration",
          "ok address",
          "ok clock",
          "ok headers",
          "ok guard",
          "ok cors",
          "ok jwks",
          "ok login",
          "ok cookie access_token",
        ],
      ]);
    } finally {
      await close();
    }
  });

  const rows: readonly (readonly [string, Parameters<typeof serverOf>, Partial<Finding>, RegExp])[] = [
    ["a clock that is behind", [{}, { Date: "Thu, 01 Jan 2026 00:00:00 GMT" }], { check: "clock" }, /behind ours/],
    [
      "a clock that is ahead",
      [{}, { Date: new Date(Date.now() + 3_600_000).toUTCString() }],
      { check: "clock" },
      /3[56]\d\d s ahead/,
    ],
    [
      "a missing nosniff",
      [{}, { "X-Content-Type-Options": "" }],
      { check: "headers", level: "fault" },
      /X-Content-Type/,
    ],
    ["a missing policy", [{}, { "Content-Security-Policy": "" }], { level: "fault" }, /no Content-Security-Policy/],
    [
      "a weak policy",
      [{}, { "Content-Security-Policy": "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'" }],
      { level: "fault" },
      /injected scripts/,
    ],
    [
      "a page for foreign frames",
      [{}, { "Content-Security-Policy": "default-src 'none'" }],
      { level: "fault" },
      /into a frame/,
    ],
    ["a missing referrer policy", [{}, { "Referrer-Policy": "" }], { level: "warning" }, /Referrer-Policy/],
    ["software that tells its name", [{}, { "X-Powered-By": "Express" }], { level: "warning" }, /which software/],
    ["an open route", [{ "/protected": answering(200, "{}") }], { check: "guard", level: "fault" }, /without a token/],
    [
      "a refusal that is none",
      [{ "/protected": answering(403, "{}") }],
      { check: "guard", level: "fault" },
      /403 .* instead of 401/,
    ],
    [
      "a 401 without challenge",
      [{ "/protected": answering(401, "{}") }],
      { check: "guard", level: "fault" },
      /WWW-Authenticate/,
    ],
    [
      "tokens that nobody signed",
      [
        {
          "/protected": (req, res) =>
            void res.writeHead(req.headers.authorization ? 200 : 401, { "WWW-Authenticate": "Bearer" }).end(),
        },
      ],
      { check: "guard", level: "fault" },
      /nobody signed/,
    ],
    [
      "forged tokens that break it",
      [
        {
          "/protected": (req, res) =>
            void res.writeHead(req.headers.authorization ? 500 : 401, { "WWW-Authenticate": "Bearer" }).end(),
        },
      ],
      { check: "guard", level: "fault" },
      /500 to a forged token/,
    ],
    [
      "CORS for everybody with cookies",
      [cors((origin) => ({ ...WITH, "Access-Control-Allow-Origin": origin }))],
      { check: "cors", level: "fault" },
      /foreign\.example can act/,
    ],
    [
      "CORS for everybody",
      [cors(() => ({ "Access-Control-Allow-Origin": "*" }))],
      { check: "cors", level: "warning" },
      /every origin/,
    ],
    [
      "CORS for * with cookies",
      [cors(() => ({ ...WITH, "Access-Control-Allow-Origin": "*" }))],
      { check: "cors", level: "fault" },
      /browsers refuse/,
    ],
    [
      "CORS that compares the beginning",
      [
        cors(
          (origin): Record<string, string> =>
            /^http:\/\/127\.0\.0\.1/.test(origin) ? { ...WITH, "Access-Control-Allow-Origin": origin } : {},
        ),
      ],
      { check: "cors", level: "fault" },
      /127\.0\.0\.1\.foreign\.example/,
    ],
    [
      "CORS for no origin",
      [
        cors(
          (origin): Record<string, string> =>
            origin === "null" ? { ...WITH, "Access-Control-Allow-Origin": origin } : {},
        ),
      ],
      { check: "cors", level: "fault" },
      /origin null/,
    ],
    [
      "a private key in the set",
      [keys({ ...publicJwk, d: "marker" })],
      { check: "jwks", level: "fault" },
      /private key/,
    ],
    [
      "a secret in the set",
      [keys({ kty: "oct", k: "marker", kid: "s" })],
      { check: "jwks", level: "fault" },
      /private key/,
    ],
    ["keys of one name", [keys(publicJwk, publicJwk)], { check: "jwks", level: "fault" }, /kid of its own/],
    ["a key without alg", [keys({ ...publicJwk, alg: undefined })], { check: "jwks", level: "warning" }, /no alg/],
    ["a broken key", [keys({ ...publicJwk, x: publicJwk.y })], { check: "jwks", level: "fault" }, /cannot be used/],
    [
      "a set that is none",
      [{ "/.well-known/jwks.json": answering(200, "<!doctype html>") }],
      { check: "jwks", level: "fault" },
      /no key set/,
    ],
    [
      "a login cookie for scripts",
      [{ "/": answering(200, "", { "Set-Cookie": `session=${TOKEN}; Path=/; SameSite=Lax` }) }],
      { check: "cookie session", level: "fault" },
      /HttpOnly/,
    ],
    [
      "a cookie without SameSite",
      [{ "/": answering(200, "", { "Set-Cookie": "sid=1; Path=/; HttpOnly" }) }],
      { check: "cookie sid", level: "fault" },
      /SameSite/,
    ],
  ];

  it.each(rows)("names %s", async (_name, server, expected, says) => {
    const { bad } = await examineOne(...server);
    expect(bad).toEqual([
      expect.objectContaining({ ...expected, says: expect.stringMatching(says), mend: expect.any(String) }),
    ]);
  });

  it("names a login that is refused, or may be cached", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "login.json"), "{}");
    const words = ["--login", "/login", "--credentials", "login.json"];
    for (const [handler, says] of [
      [answering(401, "{}"), /refused with 401/],
      [answering(200, "{}"), /may be cached/],
    ] as const) {
      const { url, close } = await serverOf({ "/login": handler });
      const { bad } = await examine(url, words, cwd);
      expect(bad).toEqual([expect.objectContaining({ check: "login", says: expect.stringMatching(says) })]);
      await close();
    }
  });

  it("names an address where nobody answers, or nobody in time", async () => {
    const { code, bad } = await examine(`http://127.0.0.1:${await freePort()}`);
    expect([code, bad]).toMatchObject([1, [{ check: "address", says: expect.stringMatching(/ECONNREFUSED/) }]]);
    const { url, close } = await serverOf({ "/protected": () => {} });
    expect((await examine(url)).bad).toMatchObject([{ check: "address", says: expect.stringMatching(/within 5 s/) }]);
    await close();
  });

  it("reads no more of an answer than it needs", async () => {
    const endless: Handler = (_req, res) => {
      const more = (): void =>
        void (res.destroyed || (res.write("x".repeat(65_536)) ? setImmediate(more) : res.once("drain", more)));
      res.writeHead(200, { "Content-Type": "text/plain" });
      more();
    };
    expect((await examineOne({ "/": endless })).bad).toEqual([]);
  });

  it("skips what is not there", async () => {
    const { findings } = await examineOne({
      "/protected": answering(404, ""),
      "/.well-known/jwks.json": answering(404, ""),
    });
    const skipped = findings.filter(({ level }) => level === "skipped").map(({ check }) => check);
    expect(skipped).toEqual(["configuration", "guard", "jwks", "login", "cookies"]);
  });
});

describe.skipIf(!available("the openssl command", opensslFound))("the doctor, over https", () => {
  it("asks whether the certificate is good, and judges cookies by the scheme", async () => {
    const folder = temporaryFolder();
    const [key, cert] = ["key.pem", "cert.pem"].map((name) => join(folder, name)) as [string, string];
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert];
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    execFileSync("openssl", ["req", "-x509", ...made, ...names, "-days", "2"], { stdio: "ignore" });
    const plain = createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }, listenerOf());
    const { url, close } = await listen(plain);
    const secure = url.replace("http:", "https:");
    writeFileSync(join(folder, "login.json"), JSON.stringify({ username: "ada", password: "marker" }));
    try {
      const strange = await examine(secure);
      expect(strange.bad).toMatchObject([
        { check: "address", level: "fault", mend: expect.stringMatching(/certificate/) },
      ]);
      const words = ["--login", "/login", "--credentials", "login.json"];
      const { findings, bad } = await examine(secure, words, folder, { NODE_EXTRA_CA_CERTS: cert });
      expect(findings.find(({ check }) => check === "address")).toMatchObject({ level: "ok" });
      expect(bad.map(({ check, says }) => `${check}: ${says}`)).toEqual([
        expect.stringMatching(/^cookie access_token: It lacks Secure/),
        expect.stringMatching(/^cookie access_token: Its name has no prefix/),
      ]);
    } finally {
      await close();
    }
  });
});

describe("cookies", () => {
  const levels = (line: string, origin: string): string[] =>
    cookieFindings([line], new URL(origin)).map(({ level, says }) => `${level}: ${says}`);
  const flags = "Path=/; HttpOnly; Secure; SameSite=Lax";

  it.each([
    [`__Host-access_token=x; ${flags}`, "https://app.example.com", /^ok/],
    ["theme=dark; Path=/; Secure", "https://app.example.com", /^ok/],
    ["__Host-csrf_access=x; Path=/; Secure; SameSite=Lax", "https://app.example.com", /^ok/],
    [`access_token=x; ${flags}`, "https://app.example.com", /^warning: Its name has no prefix/],
    [
      `__Host-access_token=x; ${flags}; Domain=example.com`,
      "https://app.example.com",
      /^fault: Its prefix is not kept/,
    ],
    ["__Secure-access_token=x; Path=/; HttpOnly; SameSite=Lax", "http://localhost", /^fault: Its prefix is not kept/],
    ["a=x; SameSite=None", "http://localhost", /^fault: It has SameSite=None without Secure/],
    [`a=x; Secure; Domain=ample.com`, "https://example.com", /^fault: Its Domain is none/],
    [`a=x; Secure; Domain=.example.com`, "https://app.example.com", /^warning: It has a Domain/],
    [`a=${"x".repeat(4096)}; Secure`, "https://example.com", /^fault: It is longer/],
    ["a=x; Secure", "http://192.168.1.7", /^fault: It is Secure, and/],
    ["a=x", "http://[::1]:5000", /^ok/],
    ["a=x", "http://localhost.example.com", /^fault: It lacks Secure/],
  ])("%s at %s", (line, origin, expected) => {
    expect(levels(line, origin)[0]).toMatch(expected);
  });
});
