import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { type Answer, type SendOptions, send } from "../support/http.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "src/cli/main.ts");
const TSX = import.meta.resolve("tsx");

/** How the server is started. */
export interface StartOptions {
  /** @default a new folder */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** JavaScript that runs before it. */
  readonly before?: string;
}

/** What a process has left behind. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** The server, running. */
export interface Running {
  readonly url: string;
  readonly cwd: string;
  /** All that it wrote so far. */
  output(): string;
  /** All answers so far, as text. */
  answers(): string;
  send(options: SendOptions): Promise<Answer>;
  /** POSTs JSON, or text as it stands. */
  post(path: string, body: unknown): Promise<Answer>;
  /** Sends a token. */
  ask(method: string, path: string, token: string): Promise<Answer>;
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

export interface Pair {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: string;
  readonly expires_in: number;
}

const running = new Set<ChildProcess>();
const folders: string[] = [];
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes when the tests of a file are over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "auth-server-"));
  folders.push(folder);
  return folder;
}

function launch({ cwd = temporaryFolder(), env = {}, before }: StartOptions) {
  const preload = before === undefined ? [] : ["--import", `data:text/javascript,${encodeURIComponent(before)}`];
  const child = spawn(process.execPath, ["--import", TSX, ...preload, MAIN, "serve"], {
    cwd,
    // Nothing of the environment of the tests gets in. Each client may say where it comes from, as limits go by that.
    env: {
      PATH: process.env.PATH,
      TSX_TSCONFIG_PATH: join(ROOT, "tsconfig.json"),
      PORT: "0",
      LOG_FORMAT: "text",
      TRUSTED_PROXIES: "127.0.0.1",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<Ended>((resolve) =>
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code, output });
    }),
  );
  return { child, cwd, ended, output: () => output };
}

/** Starts it and waits until it listens. */
export async function startServer(options: StartOptions = {}): Promise<Running> {
  const { child, cwd, ended, output } = launch(options);
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", () => {
      const [, found] = /Listening on ([^\s"]+)[\s\S]*\n$/.exec(output()) ?? [];
      if (found) resolve(found);
    });
    void ended.then((end) => reject(new Error(`it ended with ${end.code}: ${end.output}`)));
  });
  let answers = "";
  const ask = async (wanted: SendOptions): Promise<Answer> => {
    const from = ["X-Forwarded-For", somewhere()] as const;
    const answer = await send(url, { ...wanted, headers: [from, ...(wanted.headers ?? [])] });
    answers += `${answer.headers.flat().join("\n")}\n${answer.text}\n`;
    return answer;
  };
  return {
    url,
    cwd,
    output,
    answers: () => answers,
    send: ask,
    post: (path, body) =>
      ask({
        method: "POST",
        path,
        headers: [["Content-Type", "application/json"]],
        body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
    ask: (method, path, token) => ask({ method, path, headers: [["Authorization", `Bearer ${token}`]] }),
    stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

/** An address that nobody else has. */
function somewhere(): string {
  clients++;
  return `10.${(clients >> 16) & 255}.${(clients >> 8) & 255}.${clients & 255}`;
}
let clients = 0;

/** Starts it where it should refuse to, and gives what it says. */
export async function startRefused(options: StartOptions): Promise<Ended> {
  const { child, ended } = launch(options);
  const timer = setTimeout(() => child.kill("SIGKILL"), 15_000);
  const end = await ended;
  clearTimeout(timer);
  return end;
}

/** The claims of a token, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}
