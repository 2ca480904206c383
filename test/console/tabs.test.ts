import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Running } from "../auth-server/server.ts";
import { hasChromium, startChromium } from "../support/chromium.ts";
import { ADMIN, answerTo, enter, PASSWORD, signedOut, startSite, visiting } from "./site.ts";
import { startSlow } from "./slow.ts";

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const count = (requests: readonly string[], wanted: string): number => requests.filter((one) => one === wanted).length;

/** In the page itself: a browser lets nobody click in two tabs at once. */
const pressTwice = (page: Page): Promise<void> =>
  page.getByRole("button", { name: "GET /protected" }).evaluate((button) => {
    (button as HTMLElement).click();
    (button as HTMLElement).click();
  });

describe.skipIf(!hasChromium)("several tabs and browsers", () => {
  let chromium: Browser;
  let site: Running;
  beforeAll(async () => {
    [chromium, site] = await Promise.all([startChromium(), startSite()]);
  });
  afterAll(() => chromium?.close());

  it("two tabs whose access token expires at once send exactly one refresh", async () => {
    const LIFE = 4;
    const hurried = await startSite({ JWT_ACCESS_TOKEN_EXPIRES: String(LIFE) });
    try {
      await visiting(chromium, hurried.url, async ({ open, requests }) => {
        const one = await open();
        await enter(one, ADMIN);
        const two = await open();
        for (let round = 0; round < 3; round++) {
          await answerTo(one, "Refresh now");
          const before = count(requests, "POST /refresh");
          const asked = count(requests, "GET /protected");
          await sleep(LIFE * 1000 + 200);
          await Promise.all([one, two].map((page) => pressTwice(page)));
          await expect.poll(() => count(requests, "GET /protected")).toBeGreaterThanOrEqual(asked + 4);
          for (const page of [one, two])
            await page
              .getByRole("log")
              .getByText('"logged_in_as"')
              .nth(2 * round + 1)
              .waitFor();
          expect(count(requests, "POST /refresh") - before).toBe(1);
        }
      });
    } finally {
      await hurried.stop();
    }
  });

  it("a refresh in one tab while the other posts loses neither", async () => {
    await visiting(chromium, site.url, async ({ open, context, requests }) => {
      const one = await open();
      await enter(one, { username: "grace", password: PASSWORD }, "Register");
      const two = await open("#sessions");
      await two.getByText("this one").waitFor();
      const statuses: number[] = [];
      context.on("response", (answer) => {
        if (/\/(refresh|logout-others)$/.test(answer.url())) statuses.push(answer.status());
      });
      for (let round = 0; round < 5; round++) {
        await Promise.all([
          one.getByRole("button", { name: "Refresh now" }).evaluate((button) => (button as HTMLElement).click()),
          two.getByRole("button", { name: "End the others" }).evaluate((button) => (button as HTMLElement).click()),
        ]);
        await expect.poll(() => statuses.length).toBe(2 * (round + 1));
        await sleep(150);
      }
      expect(statuses.filter((status) => status === 200).length).toBe(5);
      expect(statuses.filter((status) => status === 204).length).toBe(5);
      expect(count(requests, "POST /refresh")).toBe(5);
      expect(await answerTo(one, "GET /protected")).toContain("200");
    });
  });

  it("a session ended in one browser signs all tabs of the other out within a second", async () => {
    const refused = ["401 /me", "401 /refresh", "401 /events", "401 /token", "401 /sessions"];
    await visiting(
      chromium,
      site.url,
      async (victim) => {
        const [one, two] = [await victim.open(), await victim.open()];
        await enter(one, { username: "joan", password: PASSWORD }, "Register");
        await two.getByRole("button", { name: "Sign out" }).waitFor();
        await visiting(chromium, site.url, async ({ open }) => {
          const page = await open();
          await enter(page, { username: "joan", password: PASSWORD });
          await page.getByRole("link", { name: "Sessions" }).click();
          const ends = page.getByRole("button", { name: /^End the session/ });
          await expect.poll(() => ends.count()).toBe(2);
          await expect.poll(() => count(victim.requests, "GET /events")).toBe(1);
          const other = page.getByRole("listitem").filter({ hasNotText: "this one" });
          await other.getByRole("button", { name: /^End the session/ }).click();
          const start = performance.now();
          await Promise.all([signedOut(one, 1000), signedOut(two, 1000)]);
          console.info(`signed out after ${Math.round(performance.now() - start)} ms`);
          await expect.poll(() => ends.count()).toBe(1);
          expect(await one.getByRole("status").first().textContent()).toBe("Your session was ended elsewhere.");
        });
        expect((await victim.context.cookies()).map(({ name }) => name)).toEqual(["device"]);
      },
      { refused },
    );
  });

  it("more tabs than a browser has connections to a host work, as one listens for all", async () => {
    await visiting(chromium, site.url, async ({ open, requests }) => {
      await enter(await open(), { username: "annie", password: PASSWORD }, "Register");
      for (let i = 0; i < 7; i++) {
        const tab = await open();
        expect(await answerTo(tab, "GET /protected")).toContain("200");
      }
      expect(count(requests, "GET /events")).toBe(1);
    });
  });

  it("signing out in one tab signs the other out within a second", async () => {
    await visiting(chromium, site.url, async ({ open }) => {
      const [one, two] = [await open(), await open()];
      await enter(one, ADMIN);
      await two.getByRole("button", { name: "Sign out" }).click();
      await Promise.all([signedOut(one, 1000), signedOut(two, 1000)]);
    });
  });

  it("a changed password keeps this browser signed in, and signs the other out", async () => {
    const refused = ["401 /me", "401 /refresh", "401 /events", "401 /token"];
    await visiting(chromium, site.url, async ({ open, requests }) => {
      const [one, two] = [await open(), await open()];
      await enter(one, { username: "mary", password: PASSWORD }, "Register");
      await two.getByRole("button", { name: "Sign out" }).waitFor();
      await visiting(
        chromium,
        site.url,
        async (other) => {
          const page = await other.open();
          await enter(page, { username: "mary", password: PASSWORD });
          await expect.poll(() => count(other.requests, "GET /events")).toBe(1);
          await expect.poll(() => count(requests, "GET /events")).toBe(1);
          await one.getByRole("link", { name: "Password" }).click();
          await one.getByLabel("Password now").fill(PASSWORD);
          await one.getByLabel("New password").fill("another engine altogether");
          await one.getByRole("button", { name: "Change the password" }).click();
          await one.getByText("The password is changed").waitFor();
          await signedOut(page, 1000);
        },
        { refused },
      );
      expect(await answerTo(two, "GET /protected")).toContain("200");
      expect(await one.getByRole("button", { name: "Sign out" }).count()).toBe(1);
    });
  });

  it("a changed password keeps this browser signed in, though the end of the old session is told before the answer", async () => {
    const slow = await startSlow(site.url, "/password", 1500);
    try {
      await visiting(chromium, slow.url, async ({ open, requests }) => {
        const [one, two] = [await open(), await open()];
        await enter(one, { username: "dorothy", password: PASSWORD }, "Register");
        await two.getByRole("button", { name: "Sign out" }).waitFor();
        await expect.poll(() => count(requests, "GET /events")).toBe(1);
        await one.getByRole("link", { name: "Password" }).click();
        await one.getByLabel("Password now").fill(PASSWORD);
        await one.getByLabel("New password").fill("another engine altogether");
        await one.getByRole("button", { name: "Change the password" }).click();
        await one.getByText("The password is changed").waitFor();
        await expect.poll(() => count(requests, "GET /events")).toBeGreaterThan(1);
        expect(await answerTo(two, "GET /protected")).toContain("200");
        expect(await one.getByRole("button", { name: "Sign out" }).count()).toBe(1);
      });
    } finally {
      slow.close();
    }
  });
});
