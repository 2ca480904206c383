import { describe, expect, it } from "vitest";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { sendRaw } from "../support/http.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

const statuses = (text: string): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code]) => Number(code));

/** What a hostile client can do with header lines. */
export function feature(harness: Harness): void {
  let ran = 0;
  const route: TestRoute = {
    methods: ["GET", "POST"],
    path: "/",
    guard: {},
    handler: (tools) => {
      ran++;
      return { json: tools.getAuth().identity };
    },
  };
  const raw = (...lines: string[]): string => ["GET / HTTP/1.1", "Host: x", ...lines, "", ""].join("\r\n");

  describe("header lines", () => {
    it("refuses two Authorization lines, in either order", async () => {
      const manager = managerOf();
      const good = `Authorization: Bearer ${await manager.createAccessToken("ada")}`;
      await serving(harness, manager, [route], {}, async ({ url }) => {
        ran = 0;
        for (const lines of [
          [good, "Authorization: Bearer bad"],
          ["Authorization: Bearer bad", good],
          [good, good],
          [good, "authorization: x"],
          [good, "AUTHORIZATION:"],
        ]) {
          const text = await sendRaw(url, raw(...lines, "Connection: close"));
          expect([lines[1]?.slice(0, 20), statuses(text)]).toEqual([lines[1]?.slice(0, 20), [400]]);
        }
        expect(ran).toBe(0);
        expect(statuses(await sendRaw(url, raw(good, "Connection: close")))).toEqual([200]);
      });
    });

    it("does not take malformed lines for a token", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, [route], {}, async ({ url, get }) => {
        ran = 0;
        const attempts = [
          raw(`Authorization : Bearer ${token}`, "Connection: close"),
          raw("X-A: 1", ` Authorization: Bearer ${token}`, "Connection: close"),
          raw("Content-Length: 5", "Transfer-Encoding: chunked", "Connection: close"),
          `GET / HTTP/1.1\nHost: x\nAuthorization: Bearer ${token}\nConnection: close\n\n`,
          raw(`Authorization: Bearer ${token}\u0000`, "Connection: close"),
        ];
        for (const attempt of attempts) {
          const codes = statuses(await sendRaw(url, attempt, 500));
          expect(codes.length).toBeLessThanOrEqual(1);
        }
        // Bare line feeds are the server's to judge (RFC 9112 §2.2 lets it take them).
        expect(ran).toBeLessThanOrEqual(1);
        expect((await get("/", bearer(token))).status).toBe(200);
      });
    });

    it("serves the next request of a connection unharmed", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, [route], {}, async ({ url }) => {
        const good = `Authorization: Bearer ${token}`;
        const text = await sendRaw(url, raw() + raw(good) + raw("Connection: close"));
        expect(statuses(text)).toEqual([401, 200, 401]);
      });
    });

    it("takes names in any case, and long headers without harm", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, [route], {}, async ({ get }) => {
        for (const name of ["authorization", "AUTHORIZATION", "AuThOrIzAtIoN"]) {
          expect((await get("/", [name, `Bearer ${token}`])).status).toBe(200);
        }
        expect((await get("/", ["Authorization", `Bearer ${"x".repeat(8000)}`])).status).toBe(401);
        expect((await get("/", ["Authorization", `Bearer ${".".repeat(8000)}`])).status).toBe(401);
      });
    });
  });
}
