import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cookiesOf } from "../support/answers.ts";
import { type Client, MODES, PASSWORD, signIn, subjectOf } from "./clients.ts";
import { type Running, startServer } from "./server.ts";
import { Browser } from "./visitor.ts";

type Line = readonly [string, string];
const JSON_TYPE: Line = ["Content-Type", "application/json"];
const ORIGIN = "https://good.example";
const SECRET = "Zq-a-secret-of-this-test-of-attacks-3k9";

let server: Running;
let page: Client;
beforeAll(async () => {
  server = await startServer({ env: { PUBLIC_ORIGIN: ORIGIN, JWT_SECRET_KEY: SECRET } });
  page = await signIn(server, "cookie", "pages");
});
afterAll(async () => expect((await server.stop()).code).toBe(0));

const post = (path: string, headers: readonly Line[], body?: string) =>
  server.send({ method: "POST", path, headers, body });
const brief = async (asked: ReturnType<Running["send"]>): Promise<string> => {
  const { status, text } = await asked;
  return `${status} ${text ? ((JSON.parse(text) as { code?: string }).code ?? "ok") : ""}`.trim();
};
const names = { username: "pages", password: PASSWORD, via: "cookies" };

describe("a page of another site", () => {
  const evil: readonly (readonly Line[])[] = [
    [["Sec-Fetch-Site", "cross-site"]],
    [["Sec-Fetch-Site", "same-site"]],
    [
      ["Sec-Fetch-Site", "cross-site"],
      ["Origin", ORIGIN],
    ],
    [["Sec-Fetch-Site", "Same-Origin, cross-site"]],
    ...[
      "null",
      "",
      "https://good.example.evil.example",
      "https://evil.good.example",
      "https://good.example:444",
      "http://good.example",
      "HTTPS://GOOD.EXAMPLE.",
      "https://good.example.",
      "https://good.example@evil.example",
      "https://good.example/",
      "https://good.example, https://evil.example",
      "file://",
    ].map((origin): Line[] => [["Origin", origin]]),
  ];

  it.each(["/login", "/register", "/setup"])("signs nobody in by %s", async (path) => {
    for (const headers of evil) {
      const body = JSON.stringify(path === "/setup" ? { ...names, token: "x" } : names);
      const answer = await post(path, [JSON_TYPE, ...headers], body);
      expect([headers, answer.status, answer.json(), answer.setCookies]).toMatchObject([
        headers,
        403,
        { code: "csrf_origin" },
        [],
      ]);
    }
  });

  it("acts for nobody, also with the right value, and reads nothing", async () => {
    const [cookie, csrf] = page.lines() as [Line, Line];
    const paths = ["/logout", "/logout-all", "/logout-others", "/refresh", "/password"];
    for (const headers of evil) {
      for (const path of paths) {
        const answer = await post(path, [cookie, csrf, ...headers]);
        expect([path, headers, answer.status, answer.setCookies]).toEqual([path, headers, 403, []]);
      }
      const read = await server.send({ path: "/me", headers: [cookie, ...headers] });
      expect(read.headers.filter(([name]) => /^access-control-/i.test(name))).toEqual([]);
    }
    expect((await server.send({ path: "/me", headers: [cookie] })).status).toBe(200);
  });

  it("gets no leave by a preflight, whoever it says it is", async () => {
    for (const origin of ["https://evil.example", "null", ORIGIN]) {
      for (const path of ["/login", "/me", "/refresh", "/admin/users", "/nowhere"]) {
        const asked: Line[] = [
          ["Origin", origin],
          ["Access-Control-Request-Method", "POST"],
          ["Access-Control-Request-Headers", "x-csrf-token,authorization"],
        ];
        const answer = await server.send({ method: "OPTIONS", path, headers: asked });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.headers.filter(([name]) => /^access-control-/i.test(name))).toEqual([]);
      }
    }
  });
});

describe("a body of another kind", () => {
  const TYPES = [
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "text/plain;application/json",
    "application/jsonp",
    "application/json, text/plain",
    "*/json",
    "",
  ];

  it.each(MODES)("is refused by all routes that take one, and nothing happens (%s)", async (mode) => {
    const client = await signIn(server, mode, `kinds-${mode}`);
    const body = JSON.stringify({ newPassword: "another good one", currentPassword: PASSWORD });
    for (const type of TYPES) {
      const kind: Line = ["Content-Type", type];
      expect([type, await brief(post("/password", [...client.lines(), kind], body))]).toEqual([
        type,
        "415 unsupported_media_type",
      ]);
      expect([type, (await post("/login", [kind], JSON.stringify(names))).status]).toEqual([type, 415]);
    }
    // In cookie mode the value is asked for whatever the body is.
    if (mode === "cookie") {
      const [cookie] = client.lines() as [Line];
      for (const type of [...TYPES, "application/json", "Application/JSON"])
        expect([type, (await post("/logout-others", [cookie, ["Content-Type", type]], "{}")).status < 500]).toEqual([
          type,
          true,
        ]);
      expect(await brief(post("/logout-others", [cookie, JSON_TYPE], "{}"))).toBe("403 csrf_missing");
    }
    expect((await post("/login", [JSON_TYPE], JSON.stringify({ ...names, username: `kinds-${mode}` }))).status).toBe(
      201,
    );
  });
});

describe("cookies", () => {
  it("are cleared with the attributes that they were set with", async () => {
    const browser = new Browser(server);
    const set = cookiesOf(await browser.send("POST", "/login", names));
    const gone = cookiesOf(await browser.send("POST", "/logout", undefined, "access"));
    expect(Object.keys(gone).sort()).toEqual(
      Object.keys(set)
        .filter((name) => !name.includes("device"))
        .sort(),
    );
    for (const [name, { value, attributes }] of Object.entries(gone)) {
      const { "max-age": age, expires, ...rest } = attributes;
      const { "max-age": _age, expires: _expires, ...before } = set[name]?.attributes ?? {};
      expect([name, value, age, rest]).toEqual([name, "", "0", before]);
      expect(expires).toMatch(/1970/);
    }
  });

  it("that are broken, doubled or of another name let nobody in and break nothing", async () => {
    const [[, jar]] = page.lines() as [Line];
    const token = `__Host-access_token=${page.access}`;
    for (const line of [
      "__Host-access_token=%zz",
      "__Host-access_token=%E0%A4%A",
      "=;;=",
      "__Host-access_token",
      "\u00e9=x",
    ])
      expect([line, (await server.send({ path: "/me", headers: [["Cookie", line]] })).status]).toEqual([line, 401]);
    for (const plain of [`access_token=${page.access}`, `__Secure-access_token=${page.access}`])
      expect((await server.send({ path: "/me", headers: [["Cookie", plain]] })).status).toBe(401);
    const other = await signIn(server, "cookie", "tosser");
    const tossed = `__Host-access_token=${other.access}`;
    for (const two of [`${token}; ${tossed}`, `${tossed}; ${token}`])
      expect(await brief(server.send({ path: "/me", headers: [["Cookie", two]] }))).toBe("401 ambiguous_cookies");
    // What a sibling could plant has no prefix, and is not looked at.
    const planted = await server.send({ path: "/me", headers: [["Cookie", `access_token=${other.access}; ${jar}`]] });
    expect(planted.json()).toMatchObject({ id: subjectOf(page) });
  });
});
