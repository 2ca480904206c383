import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Running } from "../auth-server/server.ts";
import { hasChromium, startChromium } from "../support/chromium.ts";
import { ADMIN, answerTo, enter, PASSWORD, signedOut, startSite, visiting } from "./site.ts";

describe.skipIf(!hasChromium)("the console, in a real browser", () => {
  let chromium: Browser;
  let site: Running;
  beforeAll(async () => {
    [chromium, site] = await Promise.all([startChromium(), startSite()]);
  });
  afterAll(() => chromium?.close());

  it("goes from registration to sign-out", async () => {
    const refused = ["401 /login", "403 /admin", "401 /fresh"];
    await visiting(
      chromium,
      site.url,
      async ({ open, complaints, context }) => {
        const page = await open();
        await enter(page, { username: "Ada", password: PASSWORD }, "Register");
        const banner = page.getByRole("banner");
        expect(await banner.textContent()).toContain("ada");
        await page.getByText("Expires in").waitFor();
        expect(await page.getByRole("main").textContent()).toMatch(
          /Expires in1[45]:\d\d.*Fresh for1[45]:\d\d.*"access"/s,
        );

        expect(await answerTo(page, "GET /protected")).toMatch(/200 \d+ ms\{"logged_in_as":"ada"\}$/);
        expect(await answerTo(page, "GET /fresh")).toMatch(/200 .*"fresh":true/);
        expect(await answerTo(page, "GET /admin")).toMatch(/403 .*"insufficient_role"/);
        expect(await answerTo(page, "Refresh now")).toMatch(/^Refresh renewed/);
        await page.getByText("not fresh").waitFor();

        const dialog = page.getByRole("dialog", { name: "Your password again" });
        await page.getByRole("button", { name: "GET /fresh" }).click();
        await dialog.getByRole("button", { name: "Cancel" }).click();
        await page.getByText('"token_not_fresh"').waitFor();
        await page.getByRole("button", { name: "GET /fresh" }).click();
        await dialog.getByLabel("Password").fill("not the password");
        await dialog.getByRole("button", { name: "Confirm" }).click();
        await dialog
          .getByRole("alert")
          .getByText(/password/i)
          .waitFor();
        await dialog.getByLabel("Password").fill(PASSWORD);
        await dialog.getByRole("button", { name: "Confirm" }).click();
        await dialog.waitFor({ state: "hidden" });
        await expect.poll(() => page.getByRole("log").getByText('"fresh":true').count()).toBe(2);

        await page.getByRole("link", { name: "Sessions" }).click();
        await page.getByText("this one").waitFor();
        await expect
          .poll(async () => {
            await page.getByRole("button", { name: "Look again" }).click();
            return page.getByRole("button", { name: /^End the session/ }).count();
          })
          .toBe(1);

        await page.getByRole("link", { name: "Password" }).click();
        await page.getByLabel("Password now").fill(PASSWORD);
        await page.getByLabel("New password").fill("another engine altogether");
        await page.getByRole("button", { name: "Change the password" }).click();
        await page.getByText("The password is changed").waitFor();

        await page.getByRole("button", { name: "Sign out" }).click();
        await signedOut(page, 3000);
        expect(await page.getByRole("status").first().textContent()).toBe("You are signed out.");
        expect((await context.cookies()).map(({ name }) => name)).toEqual(["device"]);
        await enter(page, { username: "ada", password: "another engine altogether" });
        expect([...new Set(complaints)].sort()).toEqual(["401 /fresh", "401 /login", "403 /admin"]);
      },
      { refused },
    );
  });

  it("signs in, moves about and signs out with nothing but a keyboard", async () => {
    await visiting(chromium, site.url, async ({ open }) => {
      const page = await open();
      const press = async (...keys: string[]): Promise<void> => {
        for (const key of keys) await page.keyboard.press(key);
      };
      /** What has the focus, which must be seen. */
      const focused = async (): Promise<string> => {
        const [name, outline] = await page.evaluate(() => {
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement as Element);
          return [
            document.activeElement?.textContent || document.activeElement?.getAttribute("name"),
            outlineStyle === "none" ? "0px" : outlineWidth,
          ];
        });
        expect(`${name}: ${outline}`).toBe(`${name}: 3px`);
        return name ?? "";
      };
      await page.keyboard.type(ADMIN.username);
      await press("Tab");
      expect(await focused()).toBe("password");
      await page.keyboard.type(ADMIN.password);
      await press("Enter");
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      // The view is read from its heading on; the way back leads through the views to the button.
      await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
      const seen: string[] = [];
      for (let i = 0; i < 5; i++) {
        await press("Shift+Tab");
        seen.push(await focused());
      }
      expect(seen).toEqual(["Activity", "Users", "Password", "Sessions", "Token"]);
      await press("Tab", "Enter");
      await page.getByRole("heading", { name: "Sessions", level: 1 }).waitFor();
      await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
      for (let i = 0; i < 6; i++) await press("Shift+Tab");
      expect(await focused()).toBe("Sign out");
      await press("Enter");
      await signedOut(page, 3000);
    });
  });

  it("keeps tokens in memory where that is chosen, and then in no cookie", async () => {
    await visiting(chromium, site.url, async ({ open, context, requests }) => {
      const page = await open();
      await page.getByLabel("In the memory of this page").check();
      await enter(page, ADMIN);
      expect(await answerTo(page, "GET /protected")).toContain("200");
      expect(await answerTo(page, "Refresh now")).toContain("renewed");
      expect(await context.cookies()).toEqual([]);
      await expect.poll(() => requests).toContain("GET /events");
      await page.reload();
      await signedOut(page, 3000);
    });
  });
});
