import { describe, it } from "vitest";
import { cookie, passed, refused, who } from "../support/answers.ts";
import { claimsOf } from "../support/forge.ts";
import type { Harness } from "../support/harness/types.ts";
import type { Answer, SendOptions } from "../support/http.ts";
import { managerOf, serving } from "../support/serve.ts";

type Line = readonly [string, string];
const GOOD = "https://good.example";
const site = (value: string): Line => ["Sec-Fetch-Site", value];
const origin = (value: string): Line => ["Origin", value];

/** Where a cookie request comes from: `Sec-Fetch-Site`, and `Origin` where a browser sends none. */
export function feature(harness: Harness): void {
  const route = who();

  async function asking(
    options: Record<string, unknown>,
    use: (post: (...headers: Line[]) => Promise<Answer>, own: string, submit: boolean) => Promise<void>,
  ): Promise<void> {
    const manager = managerOf({ tokenLocation: ["cookies"], ...options });
    const { access_token } = await manager.createTokenPair("ada");
    const submit = options.csrfMode !== "fetch-metadata";
    const csrf: Line[] = submit ? [["X-CSRF-TOKEN", String(claimsOf(access_token).csrf)]] : [];
    await serving(harness, manager, [route], {}, async ({ send, url }) => {
      const post = (...headers: Line[]): Promise<Answer> => {
        const wanted: SendOptions = {
          method: "POST",
          path: "/me",
          headers: [cookie(`__Host-access_token=${access_token}`), ...csrf, ...headers],
        };
        return send(wanted);
      };
      await use(post, url, submit);
    });
  }

  describe.each(["double-submit", "fetch-metadata"])("origin checks, %s", (csrfMode) => {
    it("hold a request against Sec-Fetch-Site", async () => {
      await asking({ csrfMode, trustedOrigins: [GOOD] }, async (post, own) => {
        for (const value of ["same-origin", "none"]) {
          passed(await post(site(value)));
          passed(await post(site(value), origin(own)));
        }
        for (const value of ["cross-site", "same-site", "", "SAME-ORIGIN", "nonsense"]) {
          refused(await post(site(value)), 403, "csrf_origin");
          refused(await post(site(value), origin("https://evil.example")), 403, "csrf_origin");
          passed(await post(site(value), origin(GOOD)));
        }
        refused(await post(site("same-site"), origin(own)), 403, "csrf_origin");
      });
    });

    it("hold it against Origin where there is no Sec-Fetch-Site", async () => {
      await asking({ csrfMode, trustedOrigins: [GOOD] }, async (post, own) => {
        passed(await post(origin(own)));
        passed(await post(origin(own.replace("http:", "https:"))));
        passed(await post(origin(GOOD)));
        const bad = [
          "null",
          "https://evil.example",
          `${GOOD}.evil.example`,
          `${GOOD}:444`,
          `${GOOD}.`,
          GOOD.toUpperCase(),
          `${GOOD}/`,
          "http://good.example",
          "good.example",
          `${own}.evil.example`,
          own.replace(/\d+$/, "1"),
          `${GOOD}, ${GOOD}`,
        ];
        for (const value of bad) refused(await post(origin(value)), 403, "csrf_origin");
        refused(await post(site("same-origin"), origin("null")), 403, "csrf_origin");
      });
    });

    it("hold it against publicOrigin instead of Host where that is set", async () => {
      const publicOrigin = "https://app.example.com";
      await asking({ csrfMode, publicOrigin }, async (post, own) => {
        passed(await post(origin(publicOrigin)));
        refused(await post(origin(own)), 403, "csrf_origin");
        refused(await post(origin("http://app.example.com")), 403, "csrf_origin");
        refused(await post(["Host", "evil.example"], origin("https://evil.example")), 403, "csrf_origin");
      });
    });

    it(`let a request with neither ${csrfMode === "double-submit" ? "pass by its value" : "not pass"}`, async () => {
      await asking({ csrfMode }, async (post, _own, submit) => {
        if (submit) passed(await post());
        else refused(await post(), 403, "csrf_origin");
      });
    });
  });

  describe("origin checks", () => {
    it("do not spare the value in double-submit mode", async () => {
      const manager = managerOf({ tokenLocation: ["cookies"] });
      const { access_token } = await manager.createTokenPair("ada");
      await serving(harness, manager, [route], {}, async ({ send, url }) => {
        const headers = [cookie(`__Host-access_token=${access_token}`), site("same-origin"), origin(url)];
        refused(await send({ method: "POST", path: "/me", headers }), 403, "csrf_missing");
        passed(await send({ method: "GET", path: "/me", headers: [headers[0] as Line, site("cross-site")] }));
      });
    });
  });
}
