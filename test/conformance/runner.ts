import { ConfigError } from "jwt-extended";
import type { AdapterName, Harness, TestServer } from "../support/harness/types.ts";
import { send } from "../support/http.ts";
import { allowanceFor, mayRefuseToStart } from "./allowances.ts";
import { type Application, createApplication } from "./application.ts";
import { type Answer, answerOf, differences } from "./compare.ts";
import type { KeyReader, Scenario, Step } from "./format.ts";
import { fillVariables, MissingToken, rawRequest, stepsUsedBy } from "./requests.ts";
import type { MintedToken } from "./tokens.ts";

/** A scenario that was run; it passed when there are no faults. */
export interface Outcome {
  readonly id: string;
  readonly faults: readonly string[];
}

/** The adapters whose callbacks answer as promises, so that both kinds are run. */
const LATE: ReadonlySet<AdapterName> = new Set(["fastify", "koa", "web"]);
const CONCURRENCY = 4;
const TIMEOUT = 10_000;

/** Runs scenarios, several at once, each on an application of its own; the outcomes keep the order. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  harness: Harness,
  key: KeyReader,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < scenarios.length; i = next++) {
      const scenario = scenarios[i] as Scenario;
      outcomes[i] = { id: scenario.id, faults: await runScenario(scenario, harness, key) };
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return outcomes;
}

/** The names that every object has; a scenario that changes them has spoilt the process. */
const inherited = (): string =>
  [Object, Array, Function, String].map((type) => Object.getOwnPropertyNames(type.prototype).join()).join(";");
const INHERITED = inherited();

async function runScenario(scenario: Scenario, harness: Harness, key: KeyReader): Promise<string[]> {
  const clock = { now: scenario.steps[0]?.at ?? 0 };
  let application: Application;
  let server: TestServer;
  try {
    application = createApplication(scenario, key, () => clock.now, LATE.has(harness.name));
    server = await inTime(harness.start(application.manager, application.routes), "start");
  } catch (error) {
    if (error instanceof ConfigError && mayRefuseToStart(scenario)) return [];
    return [`the application does not start: ${error instanceof Error ? error.message : String(error)}`];
  }
  try {
    const faults = await runSteps(scenario, server.url, clock, key);
    if (inherited() !== INHERITED) faults.push("a prototype has changed");
    return faults;
  } finally {
    await inTime(server.close(), "close");
  }
}

/** What earlier steps of a scenario left behind. */
interface History {
  readonly minted: (MintedToken | undefined)[];
  /** Steps that were allowed to differ. */
  readonly relaxed: Set<number>;
  /** Steps whose tokens lack the claim `__proto__`. */
  readonly lackingProto: Set<number>;
  /** All random ids so far. */
  readonly ids: Set<unknown>;
}

async function runSteps(scenario: Scenario, url: string, clock: { now: number }, key: KeyReader): Promise<string[]> {
  const history: History = { minted: [], relaxed: new Set(), lackingProto: new Set(), ids: new Set() };
  const faults: string[] = [];
  for (const [index, raw] of scenario.steps.entries()) {
    let step: Step;
    try {
      step = fillVariables(raw, history.minted);
    } catch (error) {
      if (!(error instanceof MissingToken)) throw error;
      // What hangs on a step that was allowed to refuse cannot be asked.
      if (history.relaxed.has(error.stepIndex)) history.relaxed.add(index);
      else faults.push(`step ${index}: ${error.message}`);
      continue;
    }
    clock.now = step.at;
    const where = `step ${index} ${step.request.method} ${step.request.path.split("?")[0]}`;
    let answer: Answer;
    try {
      answer = answerOf(await inTime(send(url, rawRequest(step.request)), "answer"));
    } catch (error) {
      if (scenario.tags?.includes("latin1-header") && isUnsendable(error)) return faults;
      faults.push(`${where}: ${String(error)}`);
      continue;
    }
    history.minted[index] = answer.status === 200 ? answer.minted : undefined;

    const around = { scenario, key };
    const found = differences(step.expect, answer, around);
    if (found.length === 0) {
      faults.push(...repeatedIds(step, answer, history.ids).map((fault) => `${where}: ${fault}`));
      continue;
    }
    const lacksProto = [...stepsUsedBy(raw.request)].some((used) => history.lackingProto.has(used));
    const allowance = allowanceFor({ ...around, step, answer, lacksProto });
    if (allowance === undefined) faults.push(...found.map((fault) => `${where}: ${fault}`));
    else history.relaxed.add(index);
    if (allowance === "skip the rest") return faults;
    if (allowance === "proto dropped") history.lackingProto.add(index);
  }
  return faults;
}

/** What never comes is a fault, not a standstill. */
async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in time`)), TIMEOUT);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The HTTP client cannot put a header value on the wire. */
function isUnsendable(error: unknown): boolean {
  return error instanceof TypeError && (error as { code?: unknown }).code === "ERR_INVALID_CHAR";
}

/** Two steps never mint the same `jti` or `csrf`. */
function repeatedIds({ expect }: Step, { minted }: Answer, ids: Set<unknown>): string[] {
  if (!expect.minted || !minted) return [];
  const faults: string[] = [];
  for (const [name, value] of Object.entries(expect.minted.payload)) {
    if (value !== "<uuid>") continue;
    const id = minted.payload[name];
    if (ids.has(id)) faults.push(`minted: ${name} ${String(id)} is no new one`);
    ids.add(id);
  }
  return faults;
}
