import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { type Running, type StartOptions, startServer } from "../auth-server/server.ts";

export const ADMIN = { username: "root", password: "analytical engine no. 2" } as const;
export const PASSWORD = "difference engine no. 1";

/** The auth server with its administrator. */
export const startSite = (env: StartOptions["env"] = {}): Promise<Running> =>
  startServer({ env: { ADMIN_USERNAME: ADMIN.username, ADMIN_PASSWORD: ADMIN.password, ...env } });

/** A browser that has never seen the server, and what its pages complain about. */
export interface Visitor {
  readonly context: BrowserContext;
  /** What the consoles of its pages say as an error; a refused request as `401 /path`. */
  readonly complaints: string[];
  /** The requests of all its tabs, as `POST /path`. */
  readonly requests: string[];
  /** Opens the console in a tab. */
  open(hash?: string): Promise<Page>;
}

/** Lets a new visitor in while `use` runs. Afterwards nothing but the `refused` requests may have been complained about. */
export async function visiting(
  chromium: Browser,
  url: string,
  use: (visitor: Visitor) => Promise<void>,
  { refused = [], ...options }: BrowserContextOptions & { readonly refused?: readonly string[] } = {},
): Promise<void> {
  const context = await chromium.newContext(options);
  context.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  const requests: string[] = [];
  context.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  context.on("console", (message) => {
    if (message.type() !== "error") return;
    const [, status] = /^Failed to load resource: .* status of (\d+)/.exec(message.text()) ?? [];
    complaints.push(status ? `${status} ${new URL(message.location().url).pathname}` : message.text());
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  const open = async (hash = ""): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(`${url}/${hash}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    return page;
  };
  try {
    await use({ context, complaints, requests, open });
    expect(complaints.filter((complaint) => !refused.includes(complaint))).toEqual([]);
  } finally {
    await context.close();
  }
}

/** Fills the form for signing in or registering, and sends it. */
export async function enter(
  page: Page,
  { username, password }: { readonly username: string; readonly password: string },
  how: "Sign in" | "Register" = "Sign in",
): Promise<void> {
  if (how === "Register") await page.getByRole("button", { name: "Register instead" }).click();
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: how, exact: true }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Whether the page shows the form for signing in. */
export const signedOut = (page: Page, timeout: number): Promise<void> =>
  page.getByRole("heading", { name: "Sign in", level: 1 }).waitFor({ timeout });

/** Presses a button of the view and gives the newest line of the answers. */
export async function answerTo(page: Page, button: string): Promise<string> {
  const lines = page.getByRole("log").getByRole("listitem");
  const before = await lines.count();
  await page.getByRole("button", { name: button, exact: true }).click();
  await lines.nth(before).waitFor();
  return (await lines.first().textContent()) ?? "";
}
