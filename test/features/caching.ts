import { describe, expect, it } from "vitest";
import { act, passed, who } from "../support/answers.ts";
import { browser } from "../support/browser.ts";
import type { Harness } from "../support/harness/types.ts";
import type { Answer } from "../support/http.ts";
import { readyRoutes } from "../support/ready.ts";
import { bearer, type Client, managerOf, serving } from "../support/serve.ts";

/** What caches may keep: no token, no cookie, and nothing of one visitor for another. */
export function feature(harness: Harness): void {
  const use = (options: Record<string, unknown>, body: (client: Client) => Promise<void>) => {
    const manager = managerOf(options);
    const routes = [
      who(),
      act("/login", async (tools) => tools.sendTokens(await manager.createTokenPair("ada"))),
      act("/set", async (tools) => {
        const { access_token, refresh_token } = await manager.createTokenPair("ada");
        await tools.setAccessCookies(access_token);
        await tools.setRefreshCookies(refresh_token);
        return { json: "in" };
      }),
      act("/unset", async (tools) => {
        await tools.unsetJwtCookies();
        return { json: "out" };
      }),
    ];
    return serving(harness, manager, routes, readyRoutes(manager), body);
  };
  const isUnkept = (answer: Answer): void => {
    expect(answer.header("cache-control")).toEqual(["no-store"]);
    for (const name of ["etag", "last-modified", "expires"]) expect([name, answer.header(name)]).toEqual([name, []]);
  };

  describe("caching", () => {
    it("is forbidden for every answer with a token, which is never told to be unchanged", async () => {
      for (const tokenLocation of [["headers"], ["cookies"]]) {
        await use({ tokenLocation }, async (client) => {
          for (const method of ["GET", "POST"]) {
            for (const tag of ["*", 'W/"1"']) {
              const headers = [
                ["If-None-Match", tag] as const,
                ["If-Modified-Since", new Date().toUTCString()] as const,
              ];
              const answer = await client.send({ method, path: "/login", headers });
              expect([method, tag, answer.status]).toEqual([method, tag, 200]);
              isUnkept(answer);
            }
          }
          const page = browser(client);
          const pair = (await page.get("/login")).json() as { refresh_token: string };
          const renewed =
            tokenLocation[0] === "cookies"
              ? await page.ask("POST", "/auth/refresh", "refresh", ["If-None-Match", "*"])
              : await client.postJson("/auth/refresh", JSON.stringify(pair), ["If-None-Match", "*"]);
          expect(renewed.status).toBe(200);
          isUnkept(renewed);
        });
      }
    });

    it("is forbidden for every answer that sets or clears a cookie", async () => {
      const legacyCookies = [{ path: "/old" }];
      await use({ tokenLocation: ["cookies"], legacyCookies }, async (client) => {
        const page = browser(client);
        const twice = async (): Promise<Answer> => {
          const [name, value] = page.line("__Host-access_token");
          return client.get("/me", [name, `${value}; __Host-access_token=x`]);
        };
        const answers = [
          await page.get("/set"),
          await page.ask("POST", "/auth/refresh", "refresh"),
          await twice(),
          await client.get("/unset"),
          await page.ask("POST", "/auth/logout"),
        ];
        for (const [at, answer] of answers.entries()) {
          expect([at, answer.setCookies.length > 0]).toEqual([at, true]);
          expect([at, answer.header("cache-control")]).toEqual([at, ["no-store"]]);
        }
      });
    });

    it("keeps apart what differs by who asks", async () => {
      const varies = ({ headers }: Answer): string[] =>
        headers.flatMap(([name, value]) => (name.toLowerCase() === "vary" ? value.toLowerCase().split(/,\s*/) : []));
      await use({ tokenLocation: ["cookies", "headers"] }, async (client) => {
        const page = browser(client);
        await page.get("/login");
        const answer = await page.get("/me");
        passed(answer);
        expect(varies(answer)).toContain("cookie");
      });
      // Unlike `Authorization` (RFC 9111 §3.5), no cache knows this one.
      await use({ headerName: "X-Token" }, async (client) => {
        const { access_token } = (await client.get("/login")).json() as { access_token: string };
        const answer = await client.get("/me", ["X-Token", bearer(access_token)[1]]);
        passed(answer);
        expect(varies(answer)).toContain("x-token");
      });
    });
  });
}
