import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Running } from "../auth-server/server.ts";
import { hasChromium, startChromium } from "../support/chromium.ts";
import { ROOT } from "../support/house.ts";
import { ADMIN, answerTo, enter, PASSWORD, startSite, visiting } from "./site.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };
/** `SCREENSHOTS=1` writes the pictures of the documentation anew. */
const PICTURES: Readonly<Record<string, string>> = process.env.SCREENSHOTS
  ? {
      "sign in, light, phone": "console-sign-in.png",
      "Token, light, desk": "console-token.png",
      "Token, dark, phone": "console-token-phone.png",
      "Users, light, desk": "console-users.png",
      "Activity, dark, desk": "console-activity-dark.png",
      "Activity, light, phone": "console-activity-phone.png",
    }
  : {};

/** What axe finds, and whether the page is wider than the screen. */
async function faultsOf(page: Page): Promise<string[]> {
  // As the tools of a developer do it: the policy of the page allows no script but its own.
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<Record<"violations" | "passes", AxeResult[]>> } }).axe.run(),
  );
  expect(passes.length).toBeGreaterThan(10);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  const told = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
  return wide > 0 ? [...told, `${wide} pixels wider than the screen`] : told;
}

interface AxeResult {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

describe.skipIf(!hasChromium)("the looks of the console", () => {
  let chromium: Browser;
  let site: Running;
  beforeAll(async () => {
    [chromium, site] = await Promise.all([startChromium(), startSite()]);
    const agents = [
      "curl/8.14.1",
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 15.5) Safari/605.1.15",
      "python-requests/2.32",
    ];
    const post = (path: string, username: string, password: string, agent: string): Promise<unknown> =>
      site.send({
        method: "POST",
        path,
        headers: [
          ["Content-Type", "application/json"],
          ["User-Agent", agent],
        ],
        body: JSON.stringify({ username, password }),
      });
    for (const username of ["ada", "grace", "linus"]) await post("/register", username, PASSWORD, agents[0] as string);
    for (const agent of agents.slice(1)) {
      await post("/login", "ada", PASSWORD, agent);
      await post("/login", "mallory", "not the password", agent);
    }
  });
  afterAll(() => chromium?.close());

  it.each(["light", "dark"] as const)(
    "passes axe and fits the screen on every view, %s",
    { timeout: 90_000 },
    async (colorScheme) => {
      for (const [size, viewport] of Object.entries(SIZES)) {
        const options = { colorScheme, viewport, refused: ["401 /fresh"] };
        await visiting(
          chromium,
          site.url,
          async ({ open }) => {
            const page = await open();
            const look = async (view: string): Promise<void> => {
              const name = `${view}, ${colorScheme}, ${size}`;
              const picture = PICTURES[name];
              if (picture) {
                await page.mouse.move(0, 0);
                await page.evaluate(() => scrollTo(0, 0));
                await page.screenshot({ path: join(ROOT, "docs/images", picture), animations: "disabled" });
              }
              expect(await faultsOf(page), name).toEqual([]);
            };
            await look("sign in");
            await page.getByRole("button", { name: "Register instead" }).click();
            await look("register");
            await page.getByRole("button", { name: "I have an account" }).click();
            await enter(page, ADMIN);
            await page.getByText("Expires in").waitFor();
            await answerTo(page, "GET /admin");
            await answerTo(page, "Refresh now");
            await page.getByText("not fresh").waitFor();
            await look("Token");
            await page.getByRole("button", { name: "GET /fresh" }).click();
            await page.getByRole("dialog").waitFor();
            await look("the password again");
            await page.getByRole("button", { name: "Cancel" }).click();
            for (const view of ["Sessions", "Password", "Users", "Activity"]) {
              await page.getByRole("link", { name: view, exact: true }).click();
              await page.getByRole("heading", { name: view, level: 1 }).waitFor();
              if (view === "Users") await page.getByRole("button", { name: "Sessions of ada" }).click();
              if (view === "Users") await page.getByRole("button", { name: "End all sessions of ada" }).waitFor();
              else if (view !== "Password") await page.getByText("Chrome").first().waitFor();
              if (view === "Activity") await page.getByText("live", { exact: true }).waitFor();
              await look(view);
            }
            await page.getByText("The numbers", { exact: true }).click();
            await look("The numbers");
            await page.getByRole("button", { name: "Sign out" }).click();
            await page.getByText("You are signed out.").waitFor();
            await look("signed out");
          },
          options,
        );
      }
    },
  );

  it("long words of strangers do not widen it", async () => {
    const username = "a".repeat(32);
    const options = { viewport: SIZES.phone, userAgent: "W".repeat(256) };
    await visiting(
      chromium,
      site.url,
      async ({ open }) => {
        const page = await open();
        await enter(page, { username, password: PASSWORD }, "Register");
        await page.getByText("Expires in").waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await page.getByRole("link", { name: "Sessions" }).click();
        await page.getByText("WWWW").first().waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByText("You are signed out.").waitFor();
        await enter(page, ADMIN);
        await page.getByRole("link", { name: "Users" }).click();
        await page.getByRole("button", { name: `Sessions of ${username}` }).waitFor();
        expect(await faultsOf(page)).toEqual([]);
        await page.getByRole("link", { name: "Activity" }).click();
        await page.getByText("WWWW").first().waitFor();
        expect(await faultsOf(page)).toEqual([]);
      },
      options,
    );
  });
});
