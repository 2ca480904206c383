import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { filesBelow } from "../support/source.ts";
import { environment, manifest, run } from "./project.ts";
import { same } from "./tally.ts";

const npx = (folder: string, ...words: string[]): Promise<string> =>
  run("npx", ["--no-install", "jwt-extended", ...words], folder);

/** The command, in a project that has nothing but the package. */
export async function commandWorks(folder: string): Promise<void> {
  const help = await npx(folder, "--help");
  for (const word of ["secret", "keys generate", "token mint", "migrate", "serve", "doctor"]) {
    if (!help.includes(`  ${word} `)) throw new Error(`--help does not name ${word}:\n${help}`);
  }
  same((await npx(folder, "--version")).trim(), manifest.version, "what --version says");
  await npx(folder, "secret");
  same(statSync(join(folder, "jwt-secret")).mode & 0o777, 0o600, "the mode of the secret");
  const secret = readFileSync(join(folder, "jwt-secret"), "utf8").trim();
  const manager = `import { JWTManager } from "jwt-extended";
    const jwt = new JWTManager({ secretKey: ${JSON.stringify(secret)}, store: null });
    console.log(await jwt.createAccessToken("ada"));`;
  const token = (await run(process.execPath, ["--input-type=module", "-e", manager], folder)).trim();
  const file = join(folder, "jwt-secret");
  const told = await run(
    "env",
    [`JWT_SECRET_KEY_FILE=${file}`, "npx", "--no-install", "jwt-extended", "token", "verify", token],
    folder,
  );
  same(told.split("\n")[0], "The token is good.", "what token verify says");
}

/** What needs packages that are not there says so in one line, with what installs them. */
export async function namesWhatIsMissing(folder: string): Promise<void> {
  const rows = {
    migrate: "Packages are missing: npm install kysely @node-rs/argon2 rate-limiter-flexible libsql",
    serve: "Packages are missing: npm install kysely @node-rs/argon2 rate-limiter-flexible libsql pino",
  };
  for (const [word, expected] of Object.entries(rows)) {
    const said = await npx(folder, word).then(
      () => "nothing",
      (error: Error) => error.message.split("\n").at(-1),
    );
    same(said, expected, `what ${word} says`);
  }
}

/** The server of the package, with its page, where its packages are installed. */
export async function serves(folder: string): Promise<void> {
  const bin = join(folder, "node_modules/.bin/jwt-extended");
  const child = spawn(bin, ["serve"], {
    cwd: folder,
    env: { ...environment(), PORT: "0", LOG_FORMAT: "text" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      const hear = (text: Buffer): void => {
        said += text;
        const [, found] = /^Listening on (\S+)$/m.exec(said) ?? [];
        if (found) resolve(found);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      void ended.then((code) => reject(new Error(`it ended with ${code}\n${said}`)));
    });
    const page = await fetch(url, { headers: { accept: "text/html" } });
    const html = await page.text();
    same([page.status, page.headers.get("content-type")?.split(";")[0]], [200, "text/html"], "the page");
    const [, script] = /<script[^>]* src="([^"]+)"/.exec(html) ?? [];
    if (script === undefined) throw new Error(`the page has no script:\n${html}`);
    same((await fetch(new URL(script, url))).status, 200, "the status of its script");
    same((await fetch(`${url}/protected`)).status, 401, "the status of /protected");
  } finally {
    child.kill("SIGTERM");
    same(await ended, 0, "the exit code after SIGTERM");
  }
}

/** Bytes of the command with its server, and of the page, raw and as gzip. */
export function commandSizes(installed: string): string {
  const row = (name: string, folder: string): string => {
    const files = filesBelow(join(installed, folder), (path) => !path.endsWith(".d.ts"));
    const bytes = Buffer.concat(files.map((path) => readFileSync(join(installed, folder, path))));
    const cells = [files.length, bytes.length, gzipSync(bytes).length].map((cell) => String(cell).padStart(10));
    return `${name.padEnd(16)}${cells.join("").slice(4)}`;
  };
  return [row("command, server", "dist/cli"), row("console", "dist/console")].join("\n");
}
