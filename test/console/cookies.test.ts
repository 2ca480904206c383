import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Running } from "../auth-server/server.ts";
import { hasChromium, startChromium } from "../support/chromium.ts";
import { page as documentation, rowsOf, section } from "../support/docs.ts";
import { ADMIN, answerTo, enter, startSite, visiting } from "./site.ts";
import { startTls } from "./tls.ts";

/** Name, readable by scripts, Secure, SameSite, path and host of each cookie. */
async function flagsOf(context: BrowserContext): Promise<unknown[][]> {
  const cookies = await context.cookies();
  return cookies
    .map(({ name, httpOnly, secure, sameSite, path, domain }) => [
      name,
      httpOnly ? "no" : "yes",
      secure,
      sameSite,
      path,
      domain,
    ])
    .sort();
}

/** What the documentation says of them. */
function documented(prefix: string, secure: boolean): unknown[][] {
  const rows = rowsOf(section(documentation("cookies-and-csrf.md"), "The server"));
  const told = rows.map(([name = "", readable]) => [name.slice(1, -1), readable]);
  expect(documentation("accounts.md")).toContain("the cookie `__Host-device`");
  return [...told, ["__Host-device", "no"]]
    .map(([name = "", readable]) => [name.replace("__Host-", prefix), readable, secure, "Lax", "/", "127.0.0.1"])
    .sort();
}

describe.skipIf(!hasChromium)("cookies of the console", () => {
  let chromium: Browser;
  let site: Running;
  beforeAll(async () => {
    [chromium, site] = await Promise.all([startChromium(), startSite()]);
  });
  afterAll(() => chromium?.close());

  it("have the documented flags over http on this machine, and leave no token to scripts", async () => {
    await visiting(chromium, site.url, async ({ open, context }) => {
      const page = await open();
      const bodies: Promise<string>[] = [];
      page.on("response", (answer) => bodies.push(answer.text().catch(() => "")));
      await enter(page, ADMIN);
      await page.getByText("Expires in").waitFor();
      expect(await answerTo(page, "Refresh now")).toContain("renewed");
      expect(await flagsOf(context)).toEqual(documented("", false));
      const seen = await page.evaluate(async () => ({
        cookies: document.cookie,
        storages: JSON.stringify([
          { ...localStorage },
          { ...sessionStorage },
          await indexedDB.databases(),
          await caches.keys(),
        ]),
        page: document.documentElement.outerHTML,
      }));
      expect(seen.cookies).toMatch(/^csrf_access=[\w-]+; csrf_refresh=[\w-]+$/);
      expect(seen.storages).toBe("[{},{},[],[]]");
      // The stream of events never ends, and has no body to wait for.
      await page.goto("about:blank");
      const texts = [seen.page, ...(await Promise.all(bodies))];
      expect(texts.length).toBeGreaterThan(4);
      const tokens = (await context.cookies()).filter(({ name }) => name.endsWith("_token")).map(({ value }) => value);
      expect(tokens.length).toBe(2);
      for (const text of texts) {
        expect(text).not.toMatch(/eyJ[\w-]{10,}\.eyJ/);
        for (const token of tokens) expect(text).not.toContain(token);
      }
    });
  });

  it("have the documented names and flags over https", async () => {
    const front = await startTls();
    const secure = await startSite({ PUBLIC_ORIGIN: front.url, TRUSTED_PROXIES: "127.0.0.1" });
    front.passTo(secure.url);
    try {
      await visiting(
        chromium,
        front.url,
        async ({ open, context }) => {
          const page = await open();
          await enter(page, ADMIN);
          expect(await flagsOf(context)).toEqual(documented("__Host-", true));
          expect(await answerTo(page, "Refresh now")).toContain("renewed");
          expect(await page.evaluate(() => document.cookie)).toMatch(
            /^__Host-csrf_access=[\w-]+; __Host-csrf_refresh=[\w-]+$/,
          );
        },
        { ignoreHTTPSErrors: true },
      );
    } finally {
      await secure.stop();
      front.close();
    }
  });

  it("a page of another origin is refused, though the browser sends the cookies along", async () => {
    const evil = createServer(
      (_, res) => void res.writeHead(200, { "content-type": "text/html" }).end("<h1>evil</h1>"),
    );
    await new Promise<void>((done) => evil.listen(0, "127.0.0.1", done));
    const other = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`;
    try {
      const paths = [
        "/refresh",
        "/logout",
        "/logout-all",
        "/logout-others",
        "/password",
        "/admin/users/x/disable",
        "/login",
        "/register",
      ];
      await visiting(
        chromium,
        site.url,
        async ({ open, context }) => {
          const page = await open();
          await enter(page, ADMIN);
          const enemy = await context.newPage();
          await enemy.goto(other);
          // The same host with another port: the page can even read the CSRF values.
          expect(await enemy.evaluate(() => document.cookie)).toContain("csrf_refresh=");
          for (const path of paths) {
            await enemy.goto(other);
            const came = enemy.waitForResponse((answer) => new URL(answer.url()).pathname === path);
            await enemy.evaluate((to) => {
              document.body.innerHTML = `<form method="post" enctype="text/plain" action="${to}"></form>`;
              document.forms[0]?.submit();
            }, site.url + path);
            const answer = await came;
            expect([path, answer.status()]).toEqual([path, 403]);
            expect((await answer.request().allHeaders()).cookie).toContain("access_token=");
            expect(await answer.text()).toMatch(/"code":"csrf_/);
          }
          await enemy.goto(other);
          const read = await enemy.evaluate(
            (to) => fetch(to, { credentials: "include" }).then(String, String),
            `${site.url}/token`,
          );
          expect(read).toBe("TypeError: Failed to fetch");
          await page.bringToFront();
          expect(await answerTo(page, "GET /protected")).toContain("200");
        },
        { refused: [...paths.map((path) => `403 ${path}`), ...corsComplaints(site.url, other)] },
      );
    } finally {
      evil.close();
    }
  });
});

/** What the browser says when it keeps an answer from a page of another origin. */
function corsComplaints(to: string, from: string): string[] {
  const why = "No 'Access-Control-Allow-Origin' header is present on the requested resource.";
  return [
    `Access to fetch at '${to}/token' from origin '${from}' has been blocked by CORS policy: ${why}`,
    "Failed to load resource: net::ERR_FAILED",
  ];
}
