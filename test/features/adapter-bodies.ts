import { describe, expect, it } from "vitest";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { sendRaw } from "../support/http.ts";
import { JSON_TYPE, managerOf, serving } from "../support/serve.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/** A token in a body is found, and the handler still gets the body. */
export function feature(harness: Harness): void {
  const echo: TestRoute = {
    methods: METHODS,
    path: "/echo",
    guard: { locations: ["json"] },
    handler: async (tools) => ({ json: { id: tools.getAuth().identity, body: await tools.body() } }),
  };
  const optional: TestRoute = {
    ...echo,
    path: "/optional",
    guard: { locations: ["json"], optional: true },
    handler: (tools) => ({ json: { id: tools.tryGetAuth().identity } }),
  };
  const routes = [echo, optional];

  describe.each([true, false])("bodies, parsers: %s", (parsers) => {
    it("finds a token in a JSON body and leaves the body to the handler", async () => {
      const manager = managerOf();
      const body = { access_token: await manager.createAccessToken("ada"), more: [1, { deep: true }] };
      await serving(harness, manager, routes, { parsers }, async ({ send }) => {
        const types = ["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"];
        for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
          for (const type of types) {
            const headers = [["Content-Type", type]] as const;
            const answer = await send({ method, path: "/echo", headers, body: JSON.stringify(body) });
            expect([method, type, answer.status, answer.json()]).toEqual([method, type, 200, { id: "ada", body }]);
          }
        }
      });
    });

    it("reads a body that comes in pieces", async () => {
      const manager = managerOf();
      const body = JSON.stringify({ access_token: await manager.createAccessToken("ada") });
      await serving(harness, manager, routes, { parsers }, async ({ send }) => {
        const headers = [JSON_TYPE, ["Transfer-Encoding", "chunked"]] as const;
        expect((await send({ method: "POST", path: "/echo", headers, body })).status).toBe(200);
      });
    });

    it("takes whatever is no usable body for no token, without failing", async () => {
      const deep = "[".repeat(20_000);
      const texts = ["", "{", "\u{feff}{}", "{}", '{"access_token":', "nonsense", "{'a':1}", deep, '{"__proto__":{}}'];
      await serving(harness, managerOf(), routes, { parsers }, async ({ postJson, send }) => {
        for (const text of texts) {
          expect([text.slice(0, 20), (await postJson("/echo", text)).status]).toEqual([text.slice(0, 20), 401]);
        }
        const notUtf8 = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
        const body = Buffer.from('{"access_token":"x"}', "utf16le");
        for (const bytes of [notUtf8, body]) {
          const answer = await send({ method: "POST", path: "/echo", headers: [JSON_TYPE], body: bytes });
          expect(answer.status).toBe(401);
        }
      });
    });

    it("refuses bodies that are no object, and never fails on them", async () => {
      await serving(harness, managerOf(), routes, { parsers }, async ({ postJson }) => {
        for (const text of ["null", "[]", "[1]", '"x"', "5", "true", '{"access_token":{}}', '{"access_token":[1]}']) {
          const { status } = await postJson("/echo", text);
          expect([text, status >= 400 && status < 500]).toEqual([text, true]);
        }
      });
    });

    it("looks into JSON alone when it looks for a token", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, { parsers }, async ({ send }) => {
        const wrong = ["text/plain", "text/json", "application/x-www-form-urlencoded", "application/jsonp", undefined];
        for (const type of wrong) {
          const headers = type === undefined ? [] : [["Content-Type", type] as const];
          const body = JSON.stringify({ access_token: token });
          expect([type, (await send({ method: "POST", path: "/echo", headers, body })).status]).toEqual([type, 401]);
        }
        const headers = [["Content-Type", "application/x-www-form-urlencoded"] as const];
        const form = await send({ method: "POST", path: "/echo", headers, body: `access_token=${token}` });
        expect(form.status).toBe(401);
      });
    });

    it("lets an optional guard pass without a body", async () => {
      await serving(harness, managerOf(), routes, { parsers }, async ({ send, postJson }) => {
        expect((await send({ path: "/optional" })).json()).toEqual({ id: null });
        expect((await send({ method: "POST", path: "/optional" })).json()).toEqual({ id: null });
        expect((await postJson("/optional", "{}")).json()).toEqual({ id: null });
      });
    });

    it("shares one body between several guards", async () => {
      const manager = managerOf({ tokenLocation: ["json"] });
      const token = await manager.createAccessToken("ada");
      const again: TestRoute = {
        ...echo,
        path: "/again",
        handler: async (tools) => ({ json: (await tools.verifyRequest()).identity }),
      };
      await serving(harness, manager, [echo, again], { parsers, protect: {} }, async ({ postJson }) => {
        const body = JSON.stringify({ access_token: token });
        expect((await postJson("/echo", body)).json()).toEqual({ id: "ada", body: JSON.parse(body) });
        expect((await postJson("/again", body)).json()).toBe("ada");
        expect((await postJson("/again", "{")).status).toBe(401);
      });
    });
  });

  describe("the limit of a body", () => {
    const manager = managerOf({ maxBodyBytes: 2000 });
    const large = JSON.stringify({ access_token: "x", padding: "x".repeat(5000) });

    it("refuses a larger one with 413, whether it says its length or not", async () => {
      await serving(harness, manager, routes, { parsers: false }, async ({ postJson, send }) => {
        for (const path of ["/echo", "/optional"]) {
          expect((await postJson(path, large)).status).toBe(413);
          expect((await postJson(path, large, ["Transfer-Encoding", "chunked"])).status).toBe(413);
          // The connection and the server live on.
          expect((await send({ path: "/optional" })).status).toBe(200);
        }
      });
    });

    it("leaves the connection to the next request", async () => {
      await serving(harness, manager, routes, { parsers: false }, async ({ url }) => {
        const chunk = "x".repeat(3000);
        const head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked";
        const chunks = `${chunk.length.toString(16)}\r\n${chunk}\r\n`.repeat(10);
        const next = "GET /optional HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        const text = await sendRaw(url, `${head}\r\n\r\n${chunks}0\r\n\r\n${next}`);
        expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code)).toEqual(["413", "200"]);
      });
    });

    it("does not hold what comes after the limit", async () => {
      await serving(harness, manager, routes, { parsers: false }, async ({ postJson }) => {
        const huge = JSON.stringify({ access_token: "x", padding: "x".repeat(10 << 20) });
        const before = process.memoryUsage().arrayBuffers;
        expect((await postJson("/echo", huge, ["Transfer-Encoding", "chunked"])).status).toBe(413);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 << 20);
      });
    });

    it("takes one that just fits", async () => {
      const token = await manager.createAccessToken("ada");
      const text = JSON.stringify({ access_token: token, padding: "" });
      const body = text.replace('"padding":""', `"padding":"${"x".repeat(2000 - text.length)}"`);
      await serving(harness, manager, routes, { parsers: false }, async ({ postJson }) => {
        expect(Buffer.byteLength(body)).toBe(2000);
        expect((await postJson("/echo", body)).status).toBe(200);
        expect((await postJson("/echo", body, ["Transfer-Encoding", "chunked"])).status).toBe(200);
        expect((await postJson("/echo", `${body} `)).status).toBe(413);
      });
    });
  });

  describe("form fields", () => {
    const manager = managerOf({
      tokenLocation: ["cookies"],
      csrfCheckForm: true,
      cookiePrefix: "",
      cookieSecure: false,
    });
    const route: TestRoute = { ...echo, guard: {}, handler: (tools) => ({ json: tools.getAuth().identity }) };
    const FORM = ["Content-Type", "application/x-www-form-urlencoded"] as const;

    it.each([true, false])("prove a cookie request, the first of several counts (parsers: %s)", async (parsers) => {
      const token = await manager.createAccessToken("ada");
      const csrf = (await manager.decodeToken(token)).csrf as string;
      const cookie = ["Cookie", `access_token=${token}`] as const;
      await serving(harness, manager, [route], { parsers }, async ({ send }) => {
        const post = async (body: string, type: readonly [string, string] = FORM): Promise<number> =>
          (await send({ method: "POST", path: "/echo", headers: [cookie, type], body })).status;
        expect(await post(`a=1&csrf_token=${csrf}`)).toBe(200);
        expect(await post(`csrf_token=${csrf}&csrf_token=wrong`)).toBe(200);
        expect(await post(`csrf_token=wrong&csrf_token=${csrf}`)).toBe(403);
        expect(await post("a=1")).toBe(403);
        expect(await post(JSON.stringify({ csrf_token: csrf }), JSON_TYPE)).toBe(403);
      });
    });

    // Elsewhere multipart is the business of a parser that the application chooses.
    if (harness.name !== "hono" && harness.name !== "web") return;
    it("may be multipart", async () => {
      const token = await manager.createAccessToken("ada");
      const csrf = (await manager.decodeToken(token)).csrf as string;
      const part = (name: string, value: string): string =>
        `--edge\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
      await serving(harness, manager, [route], {}, async ({ send }) => {
        const cookie = ["Cookie", `access_token=${token}`] as const;
        const headers = [cookie, ["Content-Type", "multipart/form-data; boundary=edge"] as const];
        const post = async (body: string): Promise<number> =>
          (await send({ method: "POST", path: "/echo", headers, body })).status;
        expect(await post(`${part("a", "1")}${part("csrf_token", csrf)}--edge--\r\n`)).toBe(200);
        expect(await post(`${part("a", "1")}--edge--\r\n`)).toBe(403);
        expect(await post("nonsense")).toBe(403);
      });
    });
  });
}
