import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../support/house.ts";
import { type Answer, send } from "../support/http.ts";
import { readText } from "../support/source.ts";
import type { Later, Notice } from "./preload.ts";
import { curlOf, type Exchange, fits, type Step, stepsOf, topComment } from "./transcript.ts";

const preload = pathToFileURL(join(ROOT, "test/examples/preload.ts")).href;

/** A cookie jar that knows what these servers use: names, values and `Max-Age`. */
class Jar {
  readonly #cookies = new Map<string, { value: string; until: number }>();

  keep(answer: Answer, now: number): void {
    for (const line of answer.setCookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string];
      const age = /; ?Max-Age=(-?\d+)/i.exec(line)?.[1];
      this.#cookies.set(name, { value, until: age === undefined ? Number.POSITIVE_INFINITY : now + Number(age) });
    }
  }

  line(now: number): string | undefined {
    const live = [...this.#cookies].filter(([, { until }]) => until > now);
    return live.length === 0 ? undefined : live.map(([name, { value }]) => `${name}=${value}`).join("; ");
  }
}

/** What came, in the form of the comment: to be compared by eye. */
function shown(answer: Answer): string {
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`);
  return `${answer.status} ${answer.text}\n${lines.join("\n")}`;
}

/** What may differ from playing the comment of an example. */
export interface PlayOptions {
  readonly steps?: readonly Step[];
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** @default the repository */
  readonly cwd?: string;
  /** What a client knows from the run before: its cookies, and the values that have a name. */
  readonly memory?: Memory;
}

/** What a client remembers. */
export class Memory {
  readonly jar = new Jar();
  readonly variables = new Map<string, string>();
}

/** Starts an example in a process of its own, goes through its steps and ends it. */
export function play(file: string, options: PlayOptions = {}): Promise<void> {
  const steps = options.steps ?? stepsOf(topComment(readText(join(ROOT, file))));
  return running(file, options, (origin, child) => walk(steps, origin, child, options.memory ?? new Memory()));
}

/** Starts an example in a process of its own, lets `visit` ask it what it likes, and ends it. */
export async function running(
  file: string,
  options: PlayOptions,
  visit: (origin: string, child: ChildProcess) => Promise<void>,
): Promise<void> {
  const child = spawn(process.execPath, ["--import", "tsx", "--import", preload, file, ...(options.args ?? [])], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, NODE_ENV: "test", JWT_SECRET_KEY: randomBytes(48).toString("base64"), ...options.env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (printed += text));
  try {
    await visit(`http://127.0.0.1:${await portOf(child)}`, child);
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}\n${printed}`);
  } finally {
    if (child.exitCode === null && child.kill()) await once(child, "close");
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`it ended with code ${code}`)));
    child.on("message", (notice: Notice) => "port" in notice && resolve(notice.port));
  });
}

async function walk(
  steps: readonly Step[],
  origin: string,
  child: ChildProcess,
  { jar, variables }: Memory,
): Promise<void> {
  let now = 0;
  for (const step of steps) {
    if ("later" in step) {
      now += step.later;
      const told = once(child, "message");
      child.send({ seconds: step.later } satisfies Later);
      await told;
    } else {
      await exchange(step, origin, variables, jar, now);
    }
  }
}

async function exchange(
  step: Exchange,
  origin: string,
  variables: Map<string, string>,
  jar: Jar,
  now: number,
): Promise<void> {
  const { method, path, headers, body, keeps, sends } = curlOf(step.command, variables);
  const cookies = sends ? jar.line(now) : undefined;
  const lines = cookies === undefined ? headers : [...headers, ["Cookie", cookies] as const];
  const answer = await send(origin, { method, path, headers: lines, body });
  if (keeps) jar.keep(answer, now);
  const learn = (expected: string, texts: readonly string[]): void => {
    const names = texts.map((text) => fits(expected, text, variables)).find((fitting) => fitting !== undefined);
    if (names === undefined) throw new Error(`$ ${step.command}\nexpected ${expected}\nbut came ${shown(answer)}`);
    for (const [name, value] of names) variables.set(name, value);
  };
  if (step.body === "") learn(String(step.status), [String(answer.status)]);
  else learn(`${step.status} ${step.body}`, [`${answer.status} ${answer.text}`]);
  for (const line of step.headers) {
    const name = line.slice(0, line.indexOf(":"));
    learn(
      line,
      answer.header(name).map((value) => `${name}: ${value}`),
    );
  }
}
