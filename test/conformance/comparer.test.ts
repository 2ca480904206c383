import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { allowanceFor } from "./allowances.ts";
import { type Answer, answerOf, differences } from "./compare.ts";
import { cookieFault } from "./cookies.ts";
import { type Expectation, type Json, readCorpus, type Scenario, type Step, type Tag } from "./format.ts";
import { fillVariables, MissingToken, rawRequest } from "./requests.ts";
import { readToken, verifySignature } from "./tokens.ts";
import { equalJson, mapText, without } from "./values.ts";

const { key } = readCorpus();
const SECRET = "comparer-secret-0123456789abcdefghijklmnopqrstuvwxyz";
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
function signed(header: object, payload: object): string {
  const text = `${part(header)}.${part(payload)}`;
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}
const answer = (status: number, body?: Json, setCookies: string[] = [], headers: Answer["headers"] = []): Answer =>
  answerOf({ status, headers, setCookies, text: body === undefined ? "" : JSON.stringify(body) });

const scenario = (tags: Tag[], expect: Expectation, request: Partial<Step["request"]> = {}, config = {}): Scenario => ({
  id: "x.y",
  about: "",
  config,
  callbacks: {},
  tags,
  steps: [{ at: 1000, request: { method: "GET", path: "/protected", ...request }, expect }],
});
function allowed(of: Scenario, got: Answer, lacksProto = false): string | undefined {
  return allowanceFor({ scenario: of, key, step: of.steps[0] as Step, answer: got, lacksProto });
}

describe("values", () => {
  it("compares deeply, without order, with own members only", () => {
    expect(equalJson({ a: [1, { b: null }], c: 60 }, { c: 60.0, a: [1, { b: null }] })).toBe(true);
    expect(equalJson({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(equalJson({ a: null }, {})).toBe(false);
    expect(equalJson({}, [])).toBe(false);
    expect(equalJson(1, true)).toBe(false);
    expect(equalJson(JSON.parse('{"__proto__":{"a":1}}'), {})).toBe(false);
    expect(equalJson({ toString: "x" }, {})).toBe(false);
  });

  it("keeps and drops __proto__ as an own member", () => {
    const value = JSON.parse('{"a":{"__proto__":{"x":"1"}}}');
    expect(JSON.stringify(mapText(value, (text) => text))).toBe('{"a":{"__proto__":{"x":"1"}}}');
    expect(JSON.stringify(without(value, "__proto__"))).toBe('{"a":{}}');
  });
});

describe("cookies", () => {
  const want = { name: "a", value: "b", path: "/", httponly: true, samesite: "Lax" } as const;
  const fault = (line: string, of: Parameters<typeof cookieFault>[0][number] = want) => cookieFault([of], [line]);

  it("takes any order and case of SameSite, and nothing more", () => {
    expect(fault("a=b; SameSite=lax; HttpOnly; Path=/")).toBeUndefined();
    for (const line of [
      "a=b; HttpOnly; Path=/",
      "a=b; SameSite=Lax; Path=/",
      "a=b; SameSite=Lax; HttpOnly; Path=/; Secure",
      "a=b; SameSite=Lax; HttpOnly; Path=/; Max-Age=5",
      "a=b; SameSite=Lax; HttpOnly; Path=/; Priority=High",
      "a=b; SameSite=Lax; HttpOnly; Path=/; Path=/",
      "a=c; SameSite=Lax; HttpOnly; Path=/",
    ]) {
      expect(fault(line), line).toBeDefined();
    }
    expect(cookieFault([], ["a=b"])).toBeDefined();
    expect(cookieFault([want], [])).toBeDefined();
  });

  it("compares ages, deletions and domains by the allowances", () => {
    const aged = { name: "a", value: "b", max_age: 60, expires: "Tue, 14 Nov 2023 22:14:20 GMT" };
    expect(fault("a=b; Max-Age=60", aged)).toBeUndefined();
    expect(fault("a=b; Expires=Tue, 14 Nov 2023 22:14:20 GMT", aged)).toBeDefined();
    const deleted = { name: "a", value: "", expires: "Thu, 01 Jan 1970 00:00:00 GMT" };
    for (const line of [
      "a=; Max-Age=0",
      `a=; Expires=${deleted.expires}`,
      `a=; Max-Age=0; Expires=${deleted.expires}`,
    ]) {
      expect(fault(line, deleted)).toBeUndefined();
    }
    expect(fault("a=", deleted)).toBeDefined();
    expect(fault("a=; Max-Age=1", deleted)).toBeDefined();
    expect(fault("a=; Expires=Thu, 01 Jan 1970 00:01:00 GMT", deleted)).toBeDefined();
    expect(fault("a=b; Domain=example.com", { name: "a", value: "b", domain: ".example.com" })).toBeUndefined();
  });
});

describe("tokens", () => {
  it("verifies signatures by itself", () => {
    const token = signed({ alg: "HS256" }, { a: 1 });
    expect(verifySignature(token, { secret: SECRET }, key)).toBe(true);
    expect(verifySignature(token, { secret: `${SECRET}x` }, key)).toBe(false);
    expect(verifySignature(signed({ alg: "none" }, { a: 1 }), { secret: SECRET }, key)).toBe(false);
    for (const entry of readCorpus().interop.filter(({ expect: { ok } }) => ok)) {
      expect(entry.verify_key && verifySignature(entry.token, entry.verify_key, key), entry.id).not.toBe(false);
    }
  });

  it("finds the minted token, fills placeholders, and compares the segments", () => {
    const uuid = "42350737-dc98-4633-ba4d-47c2c6af7223";
    const token = signed({ alg: "HS256" }, { jti: uuid, csrf: "c" });
    const minted = { header: { alg: "HS256" }, payload: { jti: "<uuid>", csrf: "c" }, verify_key: { secret: SECRET } };
    const expectation: Expectation = { status: 200, json: { token: "<token>", csrf: "<csrf>", jti: "<jti>" }, minted };
    const of = { scenario: { config: {}, callbacks: {} }, key };
    expect(differences(expectation, answer(200, { token, csrf: "c", jti: uuid }), of)).toEqual([]);
    expect(differences(expectation, answer(200, { token, csrf: "d", jti: uuid }), of)).toHaveLength(1);
    const other = signed({ alg: "HS256" }, { jti: "no uuid", csrf: "c" });
    expect(differences(expectation, answer(200, { token: other, csrf: "c", jti: "no uuid" }), of)).toHaveLength(1);
    const inCookie = answer(200, { identity: "1" }, [`t=${token}; Path=/`]);
    expect(inCookie.minted?.token).toBe(token);
  });
});

describe("bodies", () => {
  const of = { scenario: { config: {}, callbacks: {} }, key };
  it("leaves only the wording of the token library free", () => {
    const want: Expectation = { status: 422, json: { msg: "a" }, text_from: "pyjwt" };
    expect(differences(want, answer(422, { msg: "b" }), of)).toEqual([]);
    for (const body of [{ msg: "" }, { msg: 1 }, { error: "b" }, { msg: "b", code: "c" }]) {
      expect(differences(want, answer(422, body), of)).toHaveLength(1);
    }
    expect(differences(want, answer(401, { msg: "a" }), of)).toHaveLength(1);
    expect(differences({ ...want, text_from: "extension" }, answer(422, { msg: "b" }), of)).toHaveLength(1);
    const teapot = { scenario: { config: {}, callbacks: { invalid_token_loader: "teapot" } }, key };
    const reason: Expectation = { status: 418, json: { err: "invalid", reason: "a" }, text_from: "pyjwt" };
    expect(differences(reason, answer(418, { err: "invalid", reason: "b" }), teapot)).toEqual([]);
    expect(differences(reason, answer(418, { err: "other", reason: "b" }), teapot)).toHaveLength(1);
  });

  it("demands empty bodies, headers and the absence of cookies", () => {
    expect(
      differences({ status: 302, empty_body: true, headers: { Location: "/login" } }, answer(302), of),
    ).toHaveLength(1);
    expect(
      differences(
        { status: 302, empty_body: true, headers: { Location: "/login" } },
        answer(302, undefined, [], [["location", "/login"]]),
        of,
      ),
    ).toEqual([]);
    expect(differences({ status: 200 }, answer(200, {}, ["a=b"]), of)).toHaveLength(1);
    expect(differences({ status: 404, json: {}, text_from: "werkzeug" }, answer(404, "no", ["a=b"]), of)).toEqual([]);
  });
});

describe("requests", () => {
  it("builds raw requests", () => {
    const cookies = { a: "1", b: '"2"' };
    expect(rawRequest({ method: "POST", path: "/", cookies, json: null })).toEqual({
      method: "POST",
      path: "/",
      headers: [
        ["Cookie", 'a=1; b="2"'],
        ["Content-Type", "application/json"],
      ],
      body: "null",
    });
    const headers = [["content-type", "text/json"]] as const;
    expect(rawRequest({ method: "POST", path: "/", headers, json: 5 })).toMatchObject({ headers, body: "5" });
    expect(rawRequest({ method: "POST", path: "/", form: { a: "b c&" } }).body).toBe("a=b+c%26");
    expect(rawRequest({ method: "POST", path: "/", body: "x" })).toMatchObject({ headers: [], body: "x" });
    expect(rawRequest({ method: "GET", path: "/" })).not.toHaveProperty("body");
  });

  it("fills in variables, and says which step minted nothing", () => {
    const step: Step = {
      at: 0,
      request: { method: "GET", path: "/?jwt={{steps.0.token}}", headers: [["A", "x {{steps.0.csrf}}"]] },
      expect: { status: 200, json: { jti: "{{steps.0.jti}}" } },
    };
    const token = signed({ alg: "HS256" }, { csrf: "c", jti: "j" });
    expect(fillVariables(step, [readToken(token)])).toEqual({
      at: 0,
      request: { method: "GET", path: `/?jwt=${token}`, headers: [["A", "x c"]] },
      expect: { status: 200, json: { jti: "j" } },
    });
    expect(() => fillVariables(step, [undefined])).toThrow(MissingToken);
  });
});

describe("tags allow what they say, and no more", () => {
  const crash: Expectation = { status: 500, json: { error: "internal" }, text_from: "python" };
  const fine: Expectation = { status: 200, json: { a: 1 } };

  it("original-crashes", () => {
    expect(allowed(scenario(["original-crashes"], crash), answer(422))).toBe("go on");
    expect(allowed(scenario(["original-crashes"], crash), answer(200, {}))).toBeUndefined();
    expect(allowed(scenario(["original-crashes"], fine), answer(422))).toBeUndefined();
    const inspect = scenario(["original-crashes"], crash, { path: "/inspect" });
    expect(allowed(inspect, answer(200, { csrf: null }))).toBe("go on");
    expect(allowed(inspect, answer(200, { csrf: "x" }))).toBeUndefined();
    const nobody = answer(200, { identity: null, claims: {}, header: {}, location: null, user: null });
    expect(allowed(scenario(["original-crashes"], crash, { path: "/optional", json: [1] }), nobody)).toBe("go on");
    expect(allowed(scenario(["original-crashes"], crash, { path: "/optional", json: {} }), nobody)).toBeUndefined();
    expect(allowed(scenario(["original-crashes"], crash, { path: "/protected", json: [1] }), nobody)).toBeUndefined();
  });

  it("misconfiguration and misuse", () => {
    expect(allowed(scenario(["misconfiguration"], fine), answer(500))).toBe("go on");
    expect(allowed(scenario(["misconfiguration"], crash), answer(422))).toBeUndefined();
    const token = signed({ alg: "HS256" }, { type: "access", exp: 1001 });
    const fraction = scenario(["misconfiguration"], crash, {}, { JWT_ACCESS_TOKEN_EXPIRES: 1.5 });
    expect(allowed(fraction, answer(200, { token }))).toBe("go on");
    expect(allowed(scenario(["misconfiguration"], crash), answer(200, { token }))).toBeUndefined();
    expect(allowed(scenario(["misuse"], crash), answer(422))).toBe("go on");
    expect(allowed(scenario(["misuse"], fine), answer(500))).toBeUndefined();
    expect(allowed(scenario(["misuse"], { status: 422, json: {} }), answer(500))).toBe("go on");
  });

  it("the tags of spelling", () => {
    for (const tag of ["python-json", "python-number", "strict-base64"] as const) {
      expect(allowed(scenario([tag], fine), answer(422))).toBe("go on");
      expect(allowed(scenario([tag], fine), answer(401))).toBeUndefined();
      expect(allowed(scenario([tag], fine), answer(500))).toBeUndefined();
    }
    expect(allowed(scenario(["quoted-cookie"], fine, { cookies: { a: '"x"' } }), answer(422))).toBe("go on");
    expect(allowed(scenario(["quoted-cookie"], fine, { cookies: { a: "x" } }), answer(422))).toBeUndefined();
    expect(allowed(scenario(["python-format"], fine), answer(200, { a: 2 }))).toBe("go on");
    expect(allowed(scenario(["python-format"], fine), answer(401))).toBeUndefined();
    const refused: Expectation = { status: 422, json: { msg: "a" }, text_from: "pyjwt" };
    expect(allowed(scenario(["not-text"], refused), answer(500))).toBe("go on");
    expect(allowed(scenario(["not-text"], refused), answer(200))).toBeUndefined();
    expect(allowed(scenario(["latin1-header"], fine), answer(422))).toBeUndefined();
  });

  it("multipart", () => {
    const headers = [["content-type", "multipart/form-data; boundary=x"]] as const;
    const missing = answer(401, { msg: "Missing CSRF token" });
    expect(allowed(scenario(["multipart"], fine, { headers }), missing)).toBe("go on");
    expect(allowed(scenario(["multipart"], fine, { headers }), answer(401, { msg: "other" }))).toBeUndefined();
    expect(allowed(scenario(["multipart"], fine), missing)).toBeUndefined();
  });

  it("jose-header", () => {
    const minted = { header: { alg: "HS256" }, payload: { a: 1 }, verify_key: { secret: SECRET } };
    const want = scenario(["jose-header"], { status: 200, json: { token: "<token>" }, minted });
    const got = (header: object) => answer(200, { token: signed(header, { a: 1 }) });
    expect(allowed(want, answer(422))).toBe("skip the rest");
    expect(allowed(want, got({ alg: "HS256", typ: "" }))).toBe("skip the rest");
    expect(allowed(want, got({ alg: "HS256", typ: "JWT" }))).toBeUndefined();
    expect(allowed(scenario(["jose-header"], fine), answer(422))).toBeUndefined();
  });

  it("js-proto", () => {
    const payload = JSON.parse('{"a":1,"__proto__":{"x":1}}');
    const minted = { header: { alg: "HS256" }, payload, verify_key: { secret: SECRET } };
    const want = scenario(["js-proto"], { status: 200, json: { token: "<token>" }, minted });
    expect(allowed(want, answer(200, { token: signed({ alg: "HS256" }, { a: 1 }) }))).toBe("proto dropped");
    expect(allowed(want, answer(200, { token: signed({ alg: "HS256" }, { a: 2 }) }))).toBeUndefined();
    expect(allowed(want, answer(422))).toBe("go on");
    expect(allowed(want, answer(500))).toBeUndefined();
    const shown = scenario(["js-proto"], { status: 200, json: { claims: payload } });
    expect(allowed(shown, answer(200, { claims: { a: 1 } }), true)).toBe("go on");
    expect(allowed(shown, answer(200, { claims: { a: 1 } }))).toBeUndefined();
  });

  it("unsafe-original", () => {
    expect(allowed(scenario(["unsafe-original"], fine), answer(401))).toBe("go on");
    expect(allowed(scenario(["unsafe-original"], fine), answer(200, { a: 2 }))).toBeUndefined();
    const minted = { header: { alg: "HS256" }, payload: { a: 1 }, verify_key: { secret: SECRET } };
    const never = scenario(["unsafe-original"], { status: 200, json: { token: "<token>" }, minted });
    const until = (exp: number) => answer(200, { token: signed({ alg: "HS256" }, { a: 1, exp }) });
    expect(allowed(never, until(1000))).toBe("go on");
    expect(allowed(never, until(2000))).toBeUndefined();
    const cookie = { name: "a", value: "b", samesite: "None" };
    const insecure = scenario(["unsafe-original"], { status: 200, json: {}, set_cookies: [cookie] });
    expect(allowed(insecure, answer(200, {}, ["a=b; SameSite=None; Secure"]))).toBe("go on");
    expect(allowed(insecure, answer(200, {}, ["a=b; SameSite=Lax"]))).toBeUndefined();
  });

  it("no tag, no allowance", () => {
    expect(allowed(scenario([], crash), answer(422))).toBeUndefined();
  });
});
