import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Express } from "express";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { act, cookiesOf, who } from "../support/answers.ts";
import { hasChromium, startChromium, startProfile } from "../support/chromium.ts";
import { codeIn, page as documentation, rowsOf, section } from "../support/docs.ts";
import { nodeHarness } from "../support/harness/node.ts";
import { listen } from "../support/harness/tools.ts";
import { ADAPTERS, type TestServer } from "../support/harness/types.ts";
import { ROOT } from "../support/house.ts";
import { readyRoutes } from "../support/ready.ts";
import { managerOf, serving } from "../support/serve.ts";
import { block, bundled, clean, ROUTES, run, underHeading } from "./docs-code.ts";

const FRAMEWORKS = Object.keys(ROUTES);
afterAll(clean);
vi.stubEnv("JWT_SECRET_KEY", randomBytes(48).toString("base64url"));

describe("docs/browser.md", () => {
  it("has every setting of the client with its default, and no other", () => {
    const source = readFileSync(join(ROOT, "client/options.ts"), "utf8");
    const body = /interface AuthFetchOptions \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? "";
    const settings = [...body.matchAll(/readonly (\w+)\?:/g)].map(([, name]) => name);
    const rows = rowsOf(section(documentation("browser.md"), "Settings"));
    expect(settings.length).toBeGreaterThan(5);
    expect(rows.map(([name]) => codeIn(name)).sort()).toEqual(settings.sort());
    for (const [name, , value = ""] of rows) {
      const doc = new RegExp(`@default (.*?)(?: \\*/)?\\n(?:\\s*\\*/\\n)?\\s*readonly ${codeIn(name)}\\?:`).exec(
        body,
      )?.[1];
      if (codeIn(value) !== undefined) expect([name, doc]).toEqual([name, codeIn(value)]);
    }
  });

  it("has the cookies that each way of serving makes", async () => {
    const rows = rowsOf(section(documentation("browser.md"), "A page and its service under different hosts"));
    const shown = rows.filter(([options]) => /^`\{/.test(options ?? ""));
    expect(shown.length).toBe(5);
    for (const [options = "", cookies = "", sameSite, scope = ""] of shown) {
      const manager = managerOf({
        tokenLocation: ["cookies"],
        ...(new Function(`return (${codeIn(options)});`)() as object),
      });
      const login = act("/login", async (tools) => tools.sendTokens(await manager.createTokenPair("ada")));
      await serving(nodeHarness, manager, [login], {}, async (client) => {
        const headers = [["Sec-Fetch-Site", "same-origin"]] as const;
        const made = Object.values(cookiesOf(await client.send({ method: "POST", path: "/login", headers })));
        expect(made.map(({ name }) => `\`${name}\``).sort()).toEqual(cookies.split(", ").sort());
        const domain = /below `([^`]+)`/.exec(scope)?.[1];
        for (const { name, attributes } of made) {
          expect(attributes).toMatchObject({ path: "/", secure: "", samesite: codeIn(sameSite) });
          expect([attributes.domain, "httponly" in attributes]).toEqual([domain, !name.includes("csrf_")]);
        }
      });
    }
  });

  it("has CORS lines for every adapter", () => {
    expect(FRAMEWORKS.map((name) => name.toLowerCase())).toEqual([...ADAPTERS]);
  });
});

describe("programs of docs/browser.md in bearer mode", () => {
  const login = (manager: ReturnType<typeof managerOf>) =>
    act("/login", async (tools) => tools.sendTokens(await manager.createTokenPair("ada"), { via: "body" }));

  it("the one for Node", async () => {
    const manager = managerOf();
    await serving(nodeHarness, manager, [login(manager), who()], readyRoutes(manager), async ({ url }) => {
      const code = block("const program =").replace("https://api.example.com", url);
      const { answer } = await run("program", `${clientImport}\n${code}\nexport { answer };`);
      expect(await (answer as Response).json()).toMatchObject({ id: "ada" });
    });
  });

  it("the one for React Native", async () => {
    const manager = managerOf();
    await serving(nodeHarness, manager, [login(manager), who()], readyRoutes(manager), async ({ url }) => {
      const store = `const kept = new Map();
        const named = (name) => { if (!/^[\\w.-]+$/.test(name)) throw new Error("Invalid key"); return name; };
        export const getItemAsync = async (name) => kept.get(named(name)) ?? null;
        export const setItemAsync = async (name, value) => { kept.set(named(name), value); };`;
      const code = block("SecureStore").replace("https://api.example.com", url);
      const script = await bundled(code, { "expo-secure-store": store });
      const { authFetch } = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(script)}`);
      await authFetch.signedIn(await (await authFetch("/login", { method: "POST" })).json());
      expect(await authFetch.refresh()).toBe(true);
      expect(await (await authFetch("/me")).json()).toMatchObject({ id: "ada" });
      expect((await authFetch.logout()).status).toBe(204);
    });
  });
});

const clientImport = 'import { createAuthFetch } from "jwt-extended/client";';

describe.skipIf(!hasChromium)("docs/browser.md in a real browser", () => {
  let chromium: Browser;
  beforeAll(async () => {
    chromium = await startChromium();
  });
  afterAll(() => chromium.close());

  it("the first page and its service", async () => {
    const again = block("const careful").replace("await careful", "const close = () => careful");
    const script = `${block('show("the login form"), ')}\n${again}\nObject.assign(window, { signIn, pay, signOut, close });`;
    const routes = `app.post("/transfer", jwtRequired(), (_req, res) => void res.json({}));
      app.delete("/account", jwtRequired({ fresh: true }), (_req, res) => void res.json({ closed: true }));
      app.get("/page.js", (_req, res) => void res.type("js").send(${JSON.stringify(await bundled(script))}));
      app.get("/", (_req, res) => void res.type("html").send('<!doctype html><body><script type="module" src="/page.js"></script>'));`;
    const code = block('from "jwt-extended/express"').replace("{ sendTokens,", "{ jwtRequired, sendTokens,");
    const { app } = await run("same-host", `${code}\n${routes}\nexport { app };`);
    const server = await listen(createServer(app as Express));
    const context = await chromium.newContext();
    try {
      const page = await context.newPage();
      page.on("dialog", (dialog) => void dialog.accept("lovelace"));
      await page.goto(server.url);
      const call = (expression: string): Promise<unknown> => page.evaluate(expression);
      expect(await call("signIn('ada', 'lovelace')")).toBe(true);
      await call("pay()");
      expect(await page.textContent("body")).toBe("sent: true");
      for (const name of ["__Host-access_token", "__Host-csrf_access"]) await context.clearCookies({ name });
      expect(await call("close().then((answer) => answer.json())")).toEqual({ closed: true });
      await call("signOut()");
      expect(await page.textContent("body")).toBe("the login form");
      await call("pay()");
      expect(await page.textContent("body")).toBe("the login form");
    } finally {
      await context.close();
      await server.close();
    }
  });

  type Row = readonly [name: string, options: string, settings: string, pageHost?: string];
  const rows: readonly Row[] = [
    ["no CSRF values", 'csrfMode: "fetch-metadata"', "csrfCookies: false"],
    ["CSRF values in cookies of the domain", 'cookieDomain: "shop.localhost"', ""],
    ["CSRF values in the answer", "csrfInCookies: false", "storage: localStorage"],
    ["another site", 'csrfMode: "fetch-metadata", cookieSameSite: "None"', "csrfCookies: false", "elsewhere.localhost"],
  ];
  const cases = [
    ...FRAMEWORKS.map((framework) => ({ framework, row: rows[0] as Row })),
    ...rows.slice(1).map((row) => ({ framework: "Node", row })),
  ];

  it.each(cases)(
    "a page of another host, $framework, $row.0",
    async ({ framework, row: [name, options, settings, pageHost = "app.shop.localhost"] }) => {
      const script = await bundled(`${clientImport}\nwindow.createAuthFetch = createAuthFetch;`);
      const pages = await listen(
        createServer((req, res) => {
          if (req.url === "/page.js") res.writeHead(200, { "content-type": "text/javascript" }).end(script);
          else
            res.writeHead(200, { "content-type": "text/html" }).end('<script type="module" src="/page.js"></script>');
        }),
      );
      const at = (url: string, host: string): string => `http://${host}:${new URL(url).port}`;
      const origin = at(pages.url, pageHost);
      const cors = block("const PAGE =")
        .replace("https://app.example.com", origin)
        .replace('csrfMode: "fetch-metadata"', options);
      const lines = underHeading(framework).replace("// Your routes and guards here.", "return routes(req, res);");
      const head = `import { createServer } from "node:http"; import { JWTManager, jwtRoutes } from "jwt-extended"; import { listen } from "../../support/harness/tools.ts";`;
      const program = await run(
        `${framework}-${rows.findIndex(([row]) => row === name)}`,
        `${head.replaceAll("; ", ";\n")}\n${cors}\n${lines}\n${ROUTES[framework]?.replaceAll(/^ +import/gm, "import")}`,
      );
      const server = await (program.start as () => Promise<TestServer>)();
      const profile = mkdtempSync(join(tmpdir(), "jx-profile-"));
      const context = name === "another site" ? await startProfile(profile) : await chromium.newContext();
      try {
        const page = await context.newPage();
        await page.goto(origin);
        const baseUrl = at(server.url, "api.shop.localhost");
        const told = await page.evaluate(
          `(async () => {
          const authFetch = createAuthFetch({ baseUrl: ${JSON.stringify(baseUrl)}, ${settings} });
          const statuses = [(await authFetch("/me")).status];
          await authFetch.signedIn(await (await authFetch("/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" })).json());
          for (const method of ["GET", "POST"]) statuses.push((await authFetch("/me", { method })).status);
          statuses.push(await authFetch.refresh());
          const other = createAuthFetch({ baseUrl: ${JSON.stringify(baseUrl)}, ${settings} });
          statuses.push((await other("/me", { method: "POST" })).status);
          const refused = await fetch(${JSON.stringify(baseUrl)} + "/me");
          statuses.push(refused.status, refused.headers.get("www-authenticate"));
          return [...statuses, (await authFetch.logout()).status, (await authFetch("/me")).status];
        })()`,
        );
        expect(told).toEqual([401, 200, 200, true, 200, 401, "Bearer", 204, 401]);
        const before = await context.cookies();
        // A page that is not named gets nothing.
        await page.goto(at(pages.url, "evil.shop.localhost"));
        const evil = `fetch(${JSON.stringify(`${baseUrl}/login`)}, { method: "POST", credentials: "include" }).then(String, (error) => error.name)`;
        expect([before, await page.evaluate(evil), await context.cookies()]).toEqual([[], "TypeError", []]);
      } finally {
        await context.close();
        rmSync(profile, { recursive: true, force: true });
        await Promise.all([server.close(), pages.close()]);
      }
    },
  );
});
