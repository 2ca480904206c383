import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Running, startServer } from "../auth-server/server.ts";
import { codeIn, page, rowsOf, section } from "../support/docs.ts";
import { ROOT } from "../support/house.ts";
import { readText } from "../support/source.ts";

const text = page("auth-server.md");
const ROOM = join(ROOT, "src/auth-server");
const sources = readdirSync(ROOM)
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readText(join(ROOM, name)));

describe("docs/auth-server.md", () => {
  it("has every variable that the server reads, and no other", () => {
    const read = sources.flatMap((source) =>
      [...source.matchAll(/\benv\.([A-Z_]+)/g)].map(([, name]) => name as string),
    );
    const told = rowsOf(section(text, "The environment")).map(([name]) => codeIn(name));
    expect(told.sort()).toEqual([...new Set(read), "JWT_…"].sort());
  });

  it("names every secret that can be mounted", () => {
    const [, list = ""] = /const SECRETS = \[([^\]]*)\]/.exec(sources.join("\n")) ?? [];
    const secrets = [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name);
    expect(secrets.length).toBeGreaterThan(3);
    for (const name of secrets) expect(text).toMatch(new RegExp(`\`${name}\`[\\s\\S]*can be mounted`));
  });

  it("has every address of the server with those of accounts, and no other", { timeout: 60_000 }, async () => {
    const server: Running = await startServer();
    const { routes } = (await server.send({})).json() as { routes: { method: string; path: string }[] };
    await server.stop();
    const own = rowsOf(section(text, "Addresses")).flatMap(([cell]) => codeIn(cell) ?? []);
    const addresses = own.filter((name) => name.includes("/"));
    // One row of accounts tells of several addresses, with their queries.
    const accounts = [...section(page("accounts.md"), "Routes").matchAll(/`((?:GET|POST|DELETE) [^`?]+)[^`]*`/g)];
    const told = [...addresses, ...accounts.map(([, name]) => name as string)];
    expect(routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(told.sort());
  });
});
