import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, startChromium } from "../support/chromium.ts";
import { listen } from "../support/harness/tools.ts";
import { ROOT } from "../support/house.ts";

/** A port that nobody has. */
async function freePort(): Promise<string> {
  const probe = await listen(createServer());
  await probe.close();
  return new URL(probe.url).port;
}

async function startExample(file: string): Promise<{ url: string; child: ChildProcess; printed: () => string }> {
  const PORT = await freePort();
  const child = spawn(process.execPath, ["--import", "tsx", file], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: "test", PORT },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (printed += text));
  const url = `http://127.0.0.1:${PORT}`;
  const answers = (): Promise<boolean> =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const end = Date.now() + 20_000; !(await answers()); ) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`${file} does not answer: ${printed}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return { url, child, printed: () => printed };
}

describe.skipIf(!hasChromium).each(["client-html", "client-react"])("examples/%s", (name) => {
  let chromium: Browser;
  let server: Awaited<ReturnType<typeof startExample>>;
  let context: BrowserContext;
  /** What the pages complained about, but for refused requests and a missing icon, which browsers always note. */
  const complaints: string[] = [];

  beforeAll(async () => {
    [chromium, server] = await Promise.all([startChromium(), startExample(join("examples", name, "server.ts"))]);
    context = await chromium.newContext();
  });
  afterEach(() => expect([complaints, server.printed()]).toEqual([[], ""]));
  afterAll(async () => {
    await chromium.close();
    if (server.child.kill()) await once(server.child, "close");
  });

  async function open(): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      const expected = /status of 40[13]/.test(message.text()) || message.location().url.endsWith("/favicon.ico");
      if (message.type() === "error" && !expected) complaints.push(message.text());
    });
    await page.goto(server.url);
    return page;
  }
  const button = (page: Page, label: string) => page.getByRole("button", { name: label });
  const said = (page: Page, text: RegExp) => page.getByRole("status").getByText(text).waitFor({ timeout: 5000 });
  async function press(page: Page, label: string): Promise<void> {
    await page.bringToFront();
    await button(page, label).click();
  }
  async function signIn(page: Page, password: string): Promise<void> {
    await page.getByLabel("User").fill("ada");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await press(page, "Sign in");
  }

  it("goes from sign-in to sign-out, in two tabs", { timeout: 60_000 }, async () => {
    const [one, two] = [await open(), await open()];
    await signIn(one, "guess");
    await said(one, /^Wrong name or password$/);
    await signIn(one, "lovelace");
    for (const page of [one, two]) await page.getByText("You are ada.").waitFor({ timeout: 5000 });
    await press(two, "Send 10");
    await said(two, /^POST \/transfer: 200 {"sent":10}$/);

    // Straight from the login: no question.
    await press(one, "Close the account");
    await said(one, /^DELETE \/account: 200 /);
    // After a refresh the password is asked for: refused first, then given.
    for (const name of ["__Host-access_token", "__Host-csrf_access"]) await context.clearCookies({ name });
    await press(one, "Close the account");
    await press(one, "Cancel");
    await said(one, /^DELETE \/account: 401 .*token_not_fresh/);
    await press(one, "Close the account");
    await one.getByLabel("Your password").fill("lovelace");
    await press(one, "Confirm");
    await said(one, /^DELETE \/account: 200 /);

    await press(two, "Sign out");
    for (const page of [one, two]) {
      await said(page, /^Signed out\.$/);
      await button(page, "Sign in").waitFor();
    }
    expect(await context.cookies()).toEqual([]);
  });

  it("stays signed in when the page is opened anew", async () => {
    const page = await open();
    await signIn(page, "lovelace");
    await page.getByText("You are ada.").waitFor();
    for (const name of ["__Host-access_token", "__Host-csrf_access"]) await context.clearCookies({ name });
    await page.reload();
    await page.getByText("You are ada.").waitFor();
  });
});
