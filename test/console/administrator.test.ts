import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Running } from "../auth-server/server.ts";
import { startServer } from "../auth-server/server.ts";
import { hasChromium, startChromium } from "../support/chromium.ts";
import { ADMIN, answerTo, enter, PASSWORD, signedOut, startSite, visiting } from "./site.ts";

const EVIL = '<img src=x onerror="document.title=1">';

describe.skipIf(!hasChromium)("what administrators see", () => {
  let chromium: Browser;
  let site: Running;
  beforeAll(async () => {
    [chromium, site] = await Promise.all([startChromium(), startSite()]);
  });
  afterAll(() => chromium?.close());

  it("the link of a server without an administrator makes the first one, once", async () => {
    const fresh = await startServer();
    try {
      const link = readFileSync(join(fresh.cwd, ".jwt-extended/setup-link"), "utf8").trim();
      const hash = new URL(link).hash;
      expect(hash).toMatch(/^#setup=[\w-]{43}$/);
      await visiting(chromium, fresh.url, async ({ open, context }) => {
        const page = await open(hash);
        await page.getByRole("heading", { name: "Make the first administrator" }).waitFor();
        expect(page.url()).toBe(`${fresh.url}/`);
        await page.getByLabel("Username").fill("first");
        await page.getByLabel("Password").fill(PASSWORD);
        await page.getByRole("button", { name: "Make the administrator" }).click();
        await page.getByRole("link", { name: "Users" }).waitFor();
        expect((await context.cookies()).map(({ name }) => name)).toContain("access_token");
        expect(await answerTo(page, "GET /admin")).toContain("200");
      });
      await visiting(
        chromium,
        fresh.url,
        async ({ open }) => {
          const page = await open();
          // Into the address bar of a page that is open already.
          await page.evaluate((link) => location.assign(link), hash);
          await page.getByRole("heading", { name: "Make the first administrator" }).waitFor();
          expect(page.url()).toBe(`${fresh.url}/`);
          await page.getByLabel("Username").fill("second");
          await page.getByLabel("Password").fill(PASSWORD);
          await page.getByRole("button", { name: "Make the administrator" }).click();
          await page.getByRole("alert").getByText(/./).waitFor();
          await page.getByRole("button", { name: "Sign in instead" }).click();
          await signedOut(page, 1000);
        },
        { refused: ["404 /setup"] },
      );
    } finally {
      await fresh.stop();
    }
  });

  it("they see what happens as it happens, and the words of clients as text", async () => {
    await visiting(chromium, site.url, async ({ open }) => {
      const page = await open();
      await enter(page, ADMIN);
      await page.getByRole("link", { name: "Activity" }).click();
      await page.getByText("live", { exact: true }).waitFor();
      const chart = page.getByRole("img", { name: /logins and/ });
      const [, logins = 0, refusals = 0] =
        /(\d+) logins and (\d+) refusals/.exec((await chart.textContent()) ?? "") ?? [];
      const entries = page.getByRole("listitem");
      await entries.filter({ hasText: "login ok" }).first().waitFor();
      const before = await entries.count();
      await site.send({
        method: "POST",
        path: "/login",
        headers: [
          ["Content-Type", "application/json"],
          ["User-Agent", EVIL],
        ],
        body: JSON.stringify({ username: "nobody", password: PASSWORD }),
      });
      const entry = entries.filter({ hasText: EVIL });
      await entry.waitFor({ timeout: 1000 });
      expect(await entry.textContent()).toMatch(/^login invalid_credentials/);
      expect(await entries.count()).toBe(before + 1);
      expect(await page.locator("img").count()).toBe(0);
      await expect.poll(() => chart.textContent()).toContain(`${logins} logins and ${Number(refusals) + 1} refusals`);

      await page.getByRole("button", { name: "Pause" }).click();
      await page.getByText("paused", { exact: true }).waitFor();
      await site.post("/login", ADMIN);
      await page.getByRole("button", { name: "Go on" }).click();
      await expect.poll(() => entries.count()).toBe(before + 2);
      await expect.poll(() => entries.first().textContent()).toMatch(/^login ok root/);
    });
  });

  it("they disable a user, who is signed out within a second, and give roles", async () => {
    const refused = ["401 /me", "401 /refresh", "401 /events", "401 /login", "401 /token"];
    await visiting(
      chromium,
      site.url,
      async (victim) => {
        const theirs = await victim.open();
        await enter(theirs, { username: "eve", password: PASSWORD }, "Register");
        await expect.poll(() => victim.requests).toContain("GET /events");
        await visiting(chromium, site.url, async ({ open }) => {
          const page = await open();
          await enter(page, ADMIN);
          await page.getByRole("link", { name: "Users" }).click();
          const row = page.getByRole("listitem").filter({ hasText: "Roles of eve" });
          await row.getByRole("button", { name: "Sessions of eve" }).click();
          await row.getByRole("button", { name: /^End the session/ }).waitFor();
          await row.getByRole("button", { name: "Disable eve" }).click();
          await signedOut(theirs, 1000);
          await theirs.getByLabel("Username").fill("eve");
          await theirs.getByLabel("Password").fill(PASSWORD);
          await theirs.getByRole("button", { name: "Sign in", exact: true }).click();
          await theirs.getByRole("alert").getByText(/./).waitFor();
          await row.getByRole("button", { name: "Enable eve" }).click();
          await row.getByRole("button", { name: "Disable eve" }).waitFor();
          await row.getByRole("textbox", { name: "Roles of eve" }).fill("auditor admin");
          await row.getByRole("button", { name: "Set the roles of eve" }).click();
          await row.getByText("auditor", { exact: true }).waitFor();
          const own = page.getByRole("listitem").filter({ hasText: "you" });
          expect(await own.getByRole("button").allTextContents()).toEqual(["Sessions"]);
        });
        await enter(theirs, { username: "eve", password: PASSWORD });
        await theirs.getByRole("link", { name: "Users" }).click();
        await theirs.getByText("Roles of root").waitFor();
      },
      { refused },
    );
  });
});
