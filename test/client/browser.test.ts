import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { jwtRoutes } from "jwt-extended";
import type { createAuthFetch } from "jwt-extended/client";
import { nodeJwt } from "jwt-extended/node";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, startChromium } from "../support/chromium.ts";
import { page as documentation, rowsOf, section } from "../support/docs.ts";
import { listen } from "../support/harness/tools.ts";
import type { TestServer } from "../support/harness/types.ts";
import { managerOf } from "../support/serve.ts";
import { clientScript } from "./bundle.ts";

declare global {
  interface Window {
    authFetch: ReturnType<typeof createAuthFetch>;
    happened: [what: string, reason: string | undefined, at: number][];
  }
}

const PAGE = (options: object): string => `<!doctype html><title>page</title><script type="module">
import { createAuthFetch } from "/client.js";
window.happened = [];
const tell = (what) => (reason) => happened.push([what, reason, Date.now()]);
window.authFetch = createAuthFetch({ onSignIn: tell("in"), onRefresh: tell("renewed"), onSignOut: tell("out"), ...${JSON.stringify(options)} });
</script><form id="pay" method="post" action="/me"><input name="csrf_token"></form>`;

/** What any page can do to any service. */
const postWithCookies = (to: string): Promise<unknown> =>
  fetch(to, { method: "POST", mode: "no-cors", credentials: "include" });

interface Got {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
}

interface Site {
  readonly url: string;
  readonly got: Got[];
  readonly manager: ReturnType<typeof managerOf>;
  count(path: string): number;
  /** Holds back answers of one path. */
  slow: { path: string; ms: number } | undefined;
}

describe.skipIf(!hasChromium)("in a real browser", () => {
  let chromium: Browser;
  let script: string;
  beforeAll(async () => {
    [chromium, script] = await Promise.all([startChromium(), clientScript()]);
  });
  afterAll(() => chromium.close());

  /** A service with its pages, and a browser that has seen neither. */
  async function withSite(
    use: (site: Site, context: BrowserContext) => Promise<void>,
    { page = {}, ...settings }: { page?: object; [option: string]: unknown } = {},
  ): Promise<void> {
    const manager = managerOf({ tokenLocation: "cookies", csrfCheckForm: true, ...settings });
    const jwt = nodeJwt(manager);
    const ready = jwt.mount(jwtRoutes(manager), "/auth");
    const me = jwt.jwtRequired((_, res, auth) => void res.end(JSON.stringify({ id: auth.identity })));
    const site: Site = {
      url: "",
      got: [],
      manager,
      slow: undefined,
      count: (path) => site.got.filter((one) => one.path === path).length,
    };
    const route = async (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> => {
      if (path === "/client.js") return void res.writeHead(200, { "content-type": "text/javascript" }).end(script);
      if (path === "/") return void res.writeHead(200, { "content-type": "text/html" }).end(PAGE(page));
      if (path === "/login") return jwt.sendTokens(res, await manager.createTokenPair("ada", { fresh: true }));
      if (path === "/away")
        return void res.writeHead(307, { location: `${site.url.replace("127.0.0.1", "localhost")}/me` }).end();
      if (path === "/me") return me(req, res);
      if (await ready(req, res)) return;
      res.writeHead(404).end();
    };
    const server: TestServer = await listen(
      createServer(async (req, res) => {
        const path = req.url?.split("?")[0] ?? "";
        res.once("finish", () =>
          site.got.push({ method: req.method ?? "", path, status: res.statusCode, headers: req.headers }),
        );
        const end = res.end.bind(res);
        if (site.slow?.path === path) {
          const { ms } = site.slow;
          res.end = ((...args: Parameters<typeof end>) => setTimeout(() => end(...args), ms) && res) as typeof end;
        }
        await route(req, res, path).catch((error) => jwt.errorHandler()(error, req, res));
      }),
    );
    Object.assign(site, { url: server.url });
    const context = await chromium.newContext();
    try {
      await use(site, context);
    } finally {
      await context.close();
      await server.close();
    }
  }

  async function tab(site: Site, context: BrowserContext, origin = site.url): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await page.waitForFunction(() => window.authFetch !== undefined);
    return page;
  }

  async function signIn(page: Page): Promise<void> {
    await page.evaluate(async () => {
      await window.authFetch.signedIn(await (await window.authFetch("/login", { method: "POST" })).json());
    });
  }

  const ask = (page: Page, path = "/me", method = "POST"): Promise<number> =>
    page.evaluate(async ([to, how]) => (await window.authFetch(to, { method: how })).status, [path, method] as const);
  const events = (page: Page): Promise<Window["happened"]> => page.evaluate(() => window.happened);

  it("sets the cookies that the documentation names, with their flags, and shows scripts two of them", async () => {
    await withSite(async (site, context) => {
      const page = await tab(site, context);
      await signIn(page);
      const cookies = await context.cookies();
      const rows = rowsOf(section(documentation("cookies-and-csrf.md"), "The server"));
      const flags = cookies.map(({ name, httpOnly, secure, sameSite, path, domain }) => [
        name,
        httpOnly ? "no" : "yes",
        secure,
        sameSite,
        path,
        domain,
      ]);
      const told = rows.map(([name, readable]) => [name?.slice(1, -1), readable, true, "Lax", "/", "127.0.0.1"]);
      expect(flags.sort()).toEqual(told.sort());
      for (const { name, expires } of cookies) {
        const life = name.includes("access") ? 15 * 60 : 30 * 24 * 3600;
        expect(Math.abs(expires - Date.now() / 1000 - life)).toBeLessThan(5);
      }
      expect(await page.evaluate(() => document.cookie)).toMatch(
        /^__Host-csrf_access=[\w-]+; __Host-csrf_refresh=[\w-]+$/,
      );
      expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).toBe("[{},{}]");
    });
  });

  it("two tabs whose access token expires at once send exactly one refresh", { timeout: 60_000 }, async () => {
    await withSite(
      async (site, context) => {
        const [one, two] = [await tab(site, context), await tab(site, context)];
        await signIn(one);
        for (let round = 1; round <= 2; round++) {
          await new Promise((done) => setTimeout(done, 3100));
          const calls = [one, two].flatMap((page) => [ask(page), ask(page, "/me", "GET"), ask(page, "/me", "PUT")]);
          expect(await Promise.all(calls)).toEqual(Array(6).fill(200));
          expect(site.count("/auth/refresh")).toBe(round);
        }
        expect((await events(two)).map(([what]) => what)).toEqual(["in", "renewed", "renewed"]);
      },
      { accessTokenExpires: 3 },
    );
  });

  it.each([
    ["the cookie goes with the token", { gone: true }],
    ["the cookie stays", { gone: false }],
    ["there are no CSRF values", { gone: false, csrfMode: "fetch-metadata", page: { csrfCookies: false } }],
  ])("and so, however far apart they notice it: %s", { timeout: 60_000 }, async (_, { gone, ...settings }) => {
    let passed = 0;
    await withSite(
      async (site, context) => {
        const [one, two] = [await tab(site, context), await tab(site, context)];
        await signIn(one);
        let round = 0;
        for (const gap of [0, 0, 1, 5, 20, 50, 100, 150, 300, 0]) {
          // For the service the token is over; the browser does not know the time.
          passed += 16 * 60_000;
          for (const name of ["__Host-access_token", "__Host-csrf_access"])
            if (gone) await context.clearCookies({ name });
          site.slow = { path: "/auth/refresh", ms: 2 * round };
          const first = ask(one);
          await new Promise((done) => setTimeout(done, gap));
          expect([await ask(two, "/me", "GET"), await first]).toEqual([200, 200]);
          expect([gap, site.count("/auth/refresh")]).toEqual([gap, ++round]);
        }
      },
      { clock: () => Date.now() + passed, ...settings },
    );
  });

  it("a tab refreshes while the other posts a form", { timeout: 60_000 }, async () => {
    await withSite(async (site, context) => {
      const [one, two] = [await tab(site, context), await tab(site, context)];
      await signIn(one);
      for (const ms of [0, 30, 80]) {
        site.slow = { path: "/auth/refresh", ms };
        for (let i = 0; i < 3; i++) {
          await two.goto(`${site.url}/`);
          const value = /__Host-csrf_access=([^;]*)/.exec(await two.evaluate(() => document.cookie))?.[1] ?? "";
          await two.fill("#pay input", value);
          const renewed = one.evaluate(() => window.authFetch.refresh());
          const posted = two.waitForResponse(`${site.url}/me`);
          await two.evaluate(() => document.querySelector<HTMLFormElement>("#pay")?.submit());
          expect([await renewed, (await posted).status()]).toEqual([true, 200]);
          await two.waitForURL(`${site.url}/me`);
        }
      }
      expect(site.count("/auth/refresh")).toBe(9);
      expect(await ask(one)).toBe(200);
    });
  });

  it("the refresh outlives the page that asked for it", async () => {
    await withSite(async (site, context) => {
      const page = await tab(site, context);
      await signIn(page);
      const before = (await context.cookies()).find(({ name }) => name === "__Host-refresh_token")?.value;
      site.slow = { path: "/auth/refresh", ms: 200 };
      const asked = page.waitForRequest(`${site.url}/auth/refresh`);
      await page.evaluate(() => void window.authFetch.refresh());
      await asked;
      await page.goto("about:blank");
      await expect
        .poll(async () => (await context.cookies()).find(({ name }) => name === "__Host-refresh_token")?.value, {
          timeout: 3000,
        })
        .not.toBe(before);
      site.slow = undefined;
      expect(await ask(await tab(site, context))).toBe(200);
    });
  });

  it.each(["revoked on the server", "logged out in a tab"])(
    "a session that is %s signs out within a second in the other tab",
    async (how) => {
      await withSite(async (site, context) => {
        const [one, two] = [await tab(site, context), await tab(site, context)];
        await signIn(one);
        const start = Date.now();
        if (how === "revoked on the server") {
          const [session] = await site.manager.listSessions("ada");
          await site.manager.revokeSession(session?.sessionId as string);
          expect(await ask(one)).toBe(401);
        } else expect(await one.evaluate(async () => (await window.authFetch.logout()).status)).toBe(204);
        await two.waitForFunction(() => window.happened.some(([what]) => what === "out"), undefined, { timeout: 1000 });
        const [, reason, at] = (await events(two)).at(-1) as Window["happened"][0];
        expect([reason, (at as number) - start < 1000]).toEqual([
          how.startsWith("rev") ? "session_ended" : "logout",
          true,
        ]);
        expect([await ask(two), await ask(one)]).toEqual([401, 401]);
        expect(await context.cookies()).toEqual([]);
        expect(site.count("/auth/refresh")).toBe(how.startsWith("rev") ? 1 : 0);
      });
    },
  );

  it("a page of another origin is refused, whatever it sends", async () => {
    await withSite(async (site, context) => {
      await withSite(async (evil) => {
        await signIn(await tab(site, context));
        const page = await tab(evil, context);
        // The same host with another port: the browser sends the cookies along, and shows this page the CSRF value.
        const value = /__Host-csrf_access=([^;]*)/.exec(await page.evaluate(() => document.cookie))?.[1] ?? "";
        expect(value).not.toBe("");
        for (const path of ["/me", "/auth/refresh", "/auth/logout"])
          await page.evaluate(postWithCookies, site.url + path);
        await page.evaluate(
          ([to, csrf]) => {
            document.body.innerHTML = `<form method="post" action="${to}"><input name="csrf_token" value="${csrf}"></form>`;
            document.forms[0]?.submit();
          },
          [`${site.url}/me`, value] as const,
        );
        await page.waitForURL(`${site.url}/me`);
        expect(await page.textContent("body")).toContain('"csrf_origin"');
        const posts = site.got.filter(({ method, path }) => method === "POST" && path !== "/login");
        expect(posts.map(({ path, status }) => [path, status])).toEqual([
          ["/me", 403],
          ["/auth/refresh", 403],
          ["/auth/logout", 403],
          ["/me", 403],
        ]);
        expect(posts.every(({ headers }) => headers.cookie?.includes("__Host-access_token="))).toBe(true);
        expect(await ask(await tab(site, context))).toBe(200);
      });
    });
  });

  it("the client of a page sends another origin neither cookies nor a CSRF value", async () => {
    await withSite(async (site, context) => {
      await withSite(async (other) => {
        const page = await tab(site, context);
        await signIn(page);
        // What the answer says is not shown to the page; what was sent counts.
        await page.evaluate((to) => window.authFetch(to, { method: "POST" }).catch(() => undefined), `${other.url}/me`);
        expect(other.got.map(({ path, headers }) => [path, headers.cookie, headers["x-csrf-token"]])).toEqual([
          ["/me", undefined, undefined],
        ]);
      });
    });
  });

  it("a page of another site sends no cookies at all", async () => {
    await withSite(async (site, context) => {
      await signIn(await tab(site, context));
      const page = await tab(site, context, site.url.replace("127.0.0.1", "localhost"));
      await page.evaluate(postWithCookies, `${site.url}/me`);
      const last = site.got.at(-1);
      expect([last?.path, last?.status, last?.headers.cookie]).toEqual(["/me", 401, undefined]);
    });
  });

  it("a redirect to another origin does not take the CSRF value along", async () => {
    await withSite(async (site, context) => {
      const page = await tab(site, context);
      await signIn(page);
      const outcome = await page.evaluate(() =>
        window.authFetch("/away", { method: "POST" }).then(String, (error: Error) => error.name),
      );
      expect(outcome).toBe("TypeError");
      expect(site.got.filter(({ path }) => path === "/me")).toEqual([]);
      expect(site.got.at(-1)?.headers["x-csrf-token"]).toMatch(/^[\w-]{22}$/);
    });
  });

  it("works in a frame that may store nothing", async () => {
    await withSite(async (site, context) => {
      const page = await tab(site, context);
      const told = await page.evaluate((client) => {
        const frame = document.createElement("iframe");
        frame.setAttribute("sandbox", "allow-scripts");
        frame.srcdoc = `<script type="module">
          const { createAuthFetch } = await import("data:text/javascript," + ${JSON.stringify(encodeURIComponent(client))});
          const told = [];
          for (const read of [() => document.cookie, () => navigator.locks.request("x", () => 1)])
            try { await read(); } catch (error) { told.push(error.name); }
          const fetch = async (to) => Response.json(to.endsWith("/me") && told.length < 3 ? { code: "token_expired" } : {}, { status: to.endsWith("/me") && told.length < 3 ? 401 : 200 });
          const settings = { baseUrl: "${location.origin}", csrfCookies: false, onRefresh: () => told.push("renewed") };
          const answer = await createAuthFetch({ ...settings, fetch })("/me");
          parent.postMessage([...told, answer.status], "*");
        </script>`;
        const heard = new Promise((done) => addEventListener("message", ({ data }) => done(data)));
        document.body.append(frame);
        return heard;
      }, script);
      expect(told).toEqual(["SecurityError", "SecurityError", "renewed", 200]);
    });
  });
});
