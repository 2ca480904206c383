import { describe, expect, it } from "vitest";
import { passed, refused, who } from "../support/answers.ts";
import type { Harness } from "../support/harness/types.ts";
import { sendRaw } from "../support/http.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

/** A token in a header: one credential, the scheme in any case. */
export function feature(harness: Harness): void {
  const routes = [who(), who({ optional: true }, "/optional")];

  describe("headers", () => {
    it("takes the scheme in any case, and blanks around the token", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const value of [`Bearer ${token}`, `bearer ${token}`, `BEARER ${token}`, `Bearer   ${token}  `]) {
          passed(await get("/me", ["Authorization", value]));
        }
        passed(await get("/me", ["Authorization", `Bearer\t${token}`]));
        passed(await get("/me", ["aUTHORIZATION", `Bearer ${token}`]));
        expect((await get("/me", bearer(token))).json()).toMatchObject({ location: "headers" });
      });
    });

    it("counts another scheme, or none, as no token", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const value of [
          "Basic YTpi",
          `Token ${token}`,
          token,
          `Bearer=${token}`,
          `Bearer${token}`,
          "Bear er",
          "",
        ]) {
          const answer = await get("/me", ["Authorization", value]);
          refused(answer, 401, "token_missing");
          expect(answer.header("www-authenticate")).toEqual(["Bearer"]);
          passed(await get("/optional", ["Authorization", value]), null);
        }
        refused(await get("/me"), 401, "token_missing");
      });
    });

    it("refuses a malformed or doubled credential with 400, on optional routes, too", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      const bad = [
        "Bearer",
        "Bearer ",
        `Bearer ${token} x`,
        `Bearer ${token} ${token}`,
        `Bearer ${token}, Bearer ${token}`,
        `Basic YTpi, Bearer ${token}`,
        `,Bearer ${token}`,
        `Bearer ${token},`,
        'Digest username="a", nonce="b"',
      ];
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const value of bad) {
          for (const path of ["/me", "/optional"]) {
            const answer = await get(path, ["Authorization", value]);
            refused(answer, 400, "invalid_request");
            expect(answer.header("www-authenticate")).toEqual(['Bearer error="invalid_request"']);
            expect(answer.text).not.toContain(token.slice(0, 20));
          }
        }
      });
    });

    it("lets nobody in by two header lines", async () => {
      const manager = managerOf();
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ url }) => {
        for (const lines of [
          [`Bearer ${token}`, "Bearer x"],
          ["Bearer x", `Bearer ${token}`],
          [`Bearer ${token}`, `Bearer ${token}`],
          ["Basic YTpi", `Bearer ${token}`],
        ]) {
          const head = lines.map((line) => `Authorization: ${line}\r\n`).join("");
          const text = await sendRaw(url, `GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head}\r\n`);
          expect([lines.map((line) => line.slice(0, 8)), text.split("\r\n")[0]]).toEqual([
            lines.map((line) => line.slice(0, 8)),
            expect.stringMatching(/ 40[01] /),
          ]);
        }
      });
    });

    it("answers a token that is none with 401 and gives none of it back", async () => {
      const manager = managerOf();
      await serving(harness, manager, routes, {}, async ({ get }) => {
        for (const value of ["x", "a.b", "a.b.c", ".".repeat(5000), 'marker"quoted', "%00", "{}", "a.b.c.d.e", "é"]) {
          for (const path of ["/me", "/optional"]) {
            const answer = await get(path, ["Authorization", `Bearer ${value}`]);
            refused(answer, 401, "token_invalid");
            expect(answer.header("www-authenticate")).toEqual(['Bearer error="invalid_token"']);
            expect(answer.text).not.toContain("marker");
          }
        }
      });
    });

    it("answers a long header quickly", async () => {
      await serving(harness, managerOf(), routes, {}, async ({ get }) => {
        await get("/me", bearer("x"));
        for (const size of [8, 16, 64]) {
          const started = performance.now();
          const { status } = await get("/me", bearer("a".repeat(size * 1024 - 200)));
          expect([size, status === 401 || status === 431]).toEqual([size, true]);
          expect(performance.now() - started).toBeLessThan(500);
        }
      });
    });

    it("reads another header with another scheme", async () => {
      const manager = managerOf({ headerName: "X-Token", headerType: "Key" });
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        passed(await get("/me", ["x-token", `key ${token}`]));
        refused(await get("/me", bearer(token)), 401, "token_missing");
        const answer = await get("/me", ["X-Token", "Key x"]);
        expect(answer.header("www-authenticate")).toEqual(['Key error="invalid_token"']);
      });
    });

    it("takes the token alone where the scheme is empty", async () => {
      const manager = managerOf({ headerType: "" });
      const token = await manager.createAccessToken("ada");
      await serving(harness, manager, routes, {}, async ({ get }) => {
        passed(await get("/me", ["Authorization", token]));
        for (const value of [`Bearer ${token}`, `${token},`, `,${token}`, `${token} ${token}`]) {
          refused(await get("/me", ["Authorization", value]), 400, "invalid_request");
        }
        const answer = await get("/me");
        refused(answer, 401, "token_missing");
        expect(answer.header("www-authenticate")).toEqual(["Bearer"]);
      });
    });
  });
}
