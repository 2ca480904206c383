import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { ROOT } from "../support/house.ts";
import { readText } from "../support/source.ts";
import { environment } from "./project.ts";
import { same } from "./tally.ts";

/** The block of the README under `<!-- quick start: name -->`, word for word. */
export function quickStart(name: string): string {
  const marker = `<!-- quick start: ${name} -->`;
  const path = join(ROOT, "README.md");
  const readme = existsSync(path) ? readText(path) : "";
  const at = readme.indexOf(marker);
  if (at < 0) throw new Error(`README.md has no "${marker}" before a \`\`\`ts block`);
  const block = /^\s*```ts[^\n]*\n([\s\S]*?)^```/m.exec(readme.slice(at + marker.length));
  if (block?.index !== 0) throw new Error(`"${marker}" in README.md is not followed by a \`\`\`ts block`);
  return block[1] as string;
}

export function portOf(code: string): number {
  const port = /\blisten\((\d+)/.exec(code)?.[1];
  if (port === undefined) throw new Error("the quick start does not listen on a port given as a number");
  return Number(port);
}

/** Fails clearly if something else listens on the port already. */
function free(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => reject(new Error(`port ${port} of the quick start is not free: ${error.message}`)));
    probe.listen(port, () => probe.close(() => resolve()));
  });
}

/** Runs a script of the project, gives its address to the checks once it answers, and ends it. */
export async function serve(folder: string, file: string, visit: (origin: string) => Promise<void>): Promise<void> {
  const port = portOf(readText(join(folder, file)));
  await free(port);
  const env = { ...environment(), JWT_SECRET_KEY: randomBytes(48).toString("base64url") };
  const tsx = join(ROOT, "node_modules/tsx/dist/cli.mjs");
  const child = spawn(process.execPath, [tsx, file], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  child.stdout.on("data", (text) => (printed += text));
  child.stderr.on("data", (text) => (printed += text));
  try {
    await answers(`http://127.0.0.1:${port}/`, child);
    await visit(`http://127.0.0.1:${port}`);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${printed}`);
  } finally {
    const gone = new Promise((resolve) => child.once("close", resolve));
    if (child.exitCode === null && child.kill("SIGTERM")) await gone;
  }
}

async function answers(address: string, child: ChildProcess): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    const up = await fetch(address).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it did not answer within 20 s");
}

/** What the quick start promises: log in, come in with the token, stay out without. */
export async function logsIn(origin: string): Promise<void> {
  const login = await fetch(`${origin}/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "ada", password: "lovelace" }),
  });
  const pair = (await login.json()) as { access_token?: string; refresh_token?: string; token_type?: string };
  same([login.status, pair.token_type], [200, "Bearer"], "the answer of the login");
  same(login.headers.get("cache-control"), "no-store", "Cache-Control of the login");

  const bare = await fetch(`${origin}/protected`);
  await bare.arrayBuffer();
  same([bare.status, bare.headers.get("www-authenticate")], [401, "Bearer"], "the answer without a token");

  const visit = async (token: unknown): Promise<Response> =>
    fetch(`${origin}/protected`, { headers: { authorization: `Bearer ${token}` } });
  const entered = await visit(pair.access_token);
  same([entered.status, await entered.json()], [200, { logged_in_as: "ada" }], "the answer with the token");

  const refresh = await visit(pair.refresh_token);
  await refresh.arrayBuffer();
  same(refresh.status, 401, "the status with the refresh token in place of the access token");
  const forged = await visit(`${pair.access_token?.slice(0, -4)}AAAA`);
  await forged.arrayBuffer();
  same(forged.status, 401, "the status with a forged token");
}
