import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { claimsOf, type Pair, type StartOptions, startRefused, startServer, temporaryFolder } from "./server.ts";

const SECRET = "k7Jx-a-marker-secret-of-this-test-file-Q2v";
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** It must say one clear thing and end with 1. */
async function refused(options: StartOptions, says: RegExp): Promise<void> {
  const { code, output } = await startRefused(options);
  expect(output).toMatch(says);
  expect(output).not.toMatch(/\n\s+at |node:internal|Error:|Listening/);
  expect(output.trim().split("\n").length).toBeLessThanOrEqual(3);
  expect(code).toBe(1);
}

/** A folder with a development secret in it. */
function withSecret(text = "A".repeat(43)): { cwd: string; folder: string; file: string } {
  const cwd = temporaryFolder();
  const folder = join(cwd, ".jwt-extended");
  const file = join(folder, "dev-secret");
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return { cwd, folder, file };
}

describe("the development secret", () => {
  it("is made for its owner alone, and used again", async () => {
    const first = await startServer();
    const folder = join(first.cwd, ".jwt-extended");
    const file = join(folder, "dev-secret");
    expect([modeOf(folder), modeOf(file)]).toEqual(["700", "600"]);
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*\n");
    const secret = readFileSync(file, "utf8");
    expect(secret).toMatch(/^[\w-]{43}\n$/);
    const { access_token } = (
      await first.post("/register", { username: "dev", password: "long enough" })
    ).json() as Pair;
    expect(claimsOf(access_token).iss).toBe("jwt-extended-dev");
    expect(modeOf(join(first.cwd, "data/auth.db"))).toBe("600");
    expect((await first.stop("SIGINT")).code).toBe(0);

    const second = await startServer({ cwd: first.cwd });
    expect(readFileSync(file, "utf8")).toBe(secret);
    // The key and the sessions are those of before.
    expect((await second.ask("GET", "/protected", access_token)).json()).toEqual({ logged_in_as: "dev" });
    expect(first.output() + second.output() + second.answers()).not.toContain(secret.trim());
    await second.stop();
  });

  it("gives way to JWT_SECRET_KEY", async () => {
    const server = await startServer({ env: { JWT_SECRET_KEY: SECRET, NODE_ENV: "production", HOST: "0.0.0.0" } });
    expect(existsSync(join(server.cwd, ".jwt-extended/dev-secret"))).toBe(false);
    const { access_token } = (
      await server.post("/register", { username: "real", password: "long enough" })
    ).json() as Pair;
    expect(claimsOf(access_token)).not.toHaveProperty("iss");
    expect(server.output()).toMatch(/TLS/);
    expect(server.output()).not.toContain(SECRET);
    await server.stop();
  });

  it("is refused in production, and off this machine", async () => {
    const cwd = temporaryFolder();
    await refused({ cwd, env: { NODE_ENV: "production" } }, /JWT_SECRET_KEY.*production.*openssl rand/);
    for (const HOST of ["0.0.0.0", "::"]) await refused({ cwd, env: { HOST } }, /JWT_SECRET_KEY.*HOST.*openssl rand/);
    expect(existsSync(join(cwd, ".jwt-extended"))).toBe(false);
  });

  it("is refused where others could read or swap it", async () => {
    const readable = withSecret();
    chmodSync(readable.file, 0o644);
    await refused(readable, /dev-secret.*other users can read it.*JWT_SECRET_KEY/);
    const open = withSecret();
    chmodSync(open.folder, 0o777);
    await refused(open, /other users can read it/);
    const foreign = withSecret();
    await refused({ ...foreign, before: "process.getuid = () => 54321" }, /belongs to another user/);
  });

  it("is refused where it is no secret", async () => {
    await refused(withSecret(""), /damaged/);
    const linked = withSecret();
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, ".jwt-extended"), { mode: 0o700 });
    symlinkSync(linked.file, join(cwd, ".jwt-extended/dev-secret"));
    await refused({ cwd }, /it is a link/);
    const moved = temporaryFolder();
    symlinkSync(linked.folder, join(moved, ".jwt-extended"));
    await refused({ cwd: moved }, /it is no folder/);
  });
});

describe("the start", () => {
  it.each([
    ["", /JWT_SECRET_KEY is empty\. Make a secret.*openssl rand/],
    ["secret", /JWT_SECRET_KEY: .*fewer than 32 bytes.*openssl rand/],
    ["x".repeat(31), /JWT_SECRET_KEY: .*fewer than 32 bytes/],
  ])("refuses JWT_SECRET_KEY=%j", async (secret, says) => {
    await refused({ env: { JWT_SECRET_KEY: secret } }, says);
  });

  it("refuses a busy port", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    await refused({ env: { PORT: String(port) } }, new RegExp(`Port ${port} of 127.0.0.1 is in use`));
    other.close();
  });

  it.each([{ PORT: "many" }, { PORT: "70000" }, { PORT: "-1" }])("refuses %j", async (env) => {
    await refused({ env }, /PORT must be a whole number/);
  });

  it("refuses a database that is none", async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, "text.db"), "no database ".repeat(100));
    await refused({ cwd, env: { DATABASE_FILE: "text.db" } }, /The database text\.db cannot be opened.*DATABASE_FILE/);
    await refused({ cwd, env: { DATABASE_FILE: "text.db/in/it.db" } }, /cannot be opened/);
    await refused({ cwd, env: { DATABASE_FILE: "." } }, /cannot be opened/);
  });

  it("tells how to make an administrator, and nothing secret", async () => {
    const server = await startServer();
    expect(server.output()).toMatch(
      /^There is no administrator yet: open the link in \S+setup-link within 30 minutes.*ADMIN_USERNAME and ADMIN_PASSWORD/m,
    );
    await server.stop();
    const made = await startServer({
      cwd: server.cwd,
      env: { ADMIN_USERNAME: "boss", ADMIN_PASSWORD: "marker-of-the-boss" },
    });
    expect(made.output()).not.toMatch(/marker-of-the-boss|no administrator/);
    await made.stop();
  });

  it("holds the administrator to the rules", async () => {
    const admin = (ADMIN_USERNAME: string, ADMIN_PASSWORD: string) => ({ env: { ADMIN_USERNAME, ADMIN_PASSWORD } });
    await refused(admin("boss", "2short"), /ADMIN_PASSWORD cannot be used: .*8 bytes/);
    await refused(admin("b ss", "marker-long-enough"), /ADMIN_USERNAME cannot be used: A username has 3 to 32/);
    await refused({ env: { ADMIN_USERNAME: "boss" } }, /only work together/);
    const server = await startServer();
    await server.post("/register", { username: "boss", password: "an ordinary user" });
    await server.stop();
    await refused({ cwd: server.cwd, ...admin("Boss", "marker-long-enough") }, /ordinary user: choose another/);
  });

  it("ends cleanly while clients hold connections", async () => {
    const server = await startServer();
    await fetch(`${server.url}/`);
    const begin = Date.now();
    expect((await server.stop()).code).toBe(0);
    expect(Date.now() - begin).toBeLessThan(4_000);
  });
});
