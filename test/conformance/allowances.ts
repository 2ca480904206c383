import { type Answer, differences, type Surroundings } from "./compare.ts";
import { invalidStatus } from "./error-callbacks.ts";
import type { Expectation, Scenario, Step, Tag } from "./format.ts";
import { ANONYMOUS, OPTIONAL_PATHS } from "./guards.ts";
import { equalJson, isObject, without } from "./values.ts";

/** A step whose answer differs from what was recorded. */
export interface Deviation extends Surroundings {
  readonly scenario: Scenario;
  /** The step with its variables filled in. */
  readonly step: Step;
  readonly answer: Answer;
  /** The request carries a token that was minted without its claim `__proto__`. */
  readonly lacksProto: boolean;
}

/** Why a deviation is right: the rest of the scenario goes on, is skipped, or knows that `__proto__` was dropped. */
export type Allowance = "go on" | "skip the rest" | "proto dropped" | undefined;

const when = (right: boolean): Allowance => (right ? "go on" : undefined);
const fits = (deviation: Deviation, expect: Expectation): boolean =>
  differences(expect, deviation.answer, deviation).length === 0;
const isError = ({ answer }: Deviation): boolean => answer.status >= 400;
const refusedAsInvalid = ({ scenario, answer }: Deviation): boolean =>
  answer.status === 422 || answer.status === invalidStatus(scenario.callbacks.invalid_token_loader);
const pathOf = (step: Step): string => step.request.path.split("?")[0] ?? "";
const requestBody = (step: Step): Readonly<Record<string, unknown>> =>
  isObject(step.request.json ?? null) ? (step.request.json as Record<string, unknown>) : {};

/** SPEC, section 4.6, row by row. Each is asked only when the exact comparison failed. */
const ALLOWANCES: Readonly<Record<Tag, (deviation: Deviation) => Allowance>> = {
  "original-crashes": (deviation) => {
    const { step, answer } = deviation;
    if (step.expect.status !== 500) return undefined;
    return when(isError(deviation) || inspectedWithoutCsrf(step, answer) || anonymousDespiteBody(step, answer));
  },

  misconfiguration: (deviation) => {
    const { step, answer } = deviation;
    return when(answer.status >= 500 || (step.expect.status === 500 && mintedWithFraction(deviation)));
  },

  misuse: (deviation) => {
    const { scenario, step } = deviation;
    // The step that shows it: the recorded crash or, where there is none, the recorded error.
    const shown = scenario.steps.some(({ expect }) => expect.status === 500)
      ? step.expect.status === 500
      : step.expect.status >= 400;
    return when(shown && isError(deviation));
  },

  "python-json": (deviation) => when(refusedAsInvalid(deviation)),
  "python-number": (deviation) => when(refusedAsInvalid(deviation)),
  "strict-base64": (deviation) => when(refusedAsInvalid(deviation)),
  "python-format": ({ step, answer }) => when(answer.status === step.expect.status),
  "not-text": (deviation) => when(deviation.step.expect.status >= 400 && isError(deviation)),

  "jose-header": (deviation) => {
    const { step, answer } = deviation;
    const { minted } = step.expect;
    if (!minted) return undefined;
    if (isError(deviation)) return "skip the rest";
    // The members that the recorded library drops, as the token shows them.
    const asked = Object.fromEntries(
      Object.entries(answer.minted?.header ?? {}).filter(
        ([name, value]) => (name === "typ" && (value === "" || value === null)) || (name === "b64" && value === true),
      ),
    );
    const header = { ...minted.header, ...asked };
    return fits(deviation, { ...step.expect, minted: { ...minted, header } }) ? "skip the rest" : undefined;
  },

  multipart: ({ scenario, step, answer }) => {
    const type = step.request.headers?.find(([name]) => name.toLowerCase() === "content-type")?.[1];
    if (!type?.toLowerCase().startsWith("multipart/")) return undefined;
    const key = String(scenario.config.JWT_ERROR_MESSAGE_KEY ?? "msg");
    return when(answer.status === 401 && equalJson({ [key]: "Missing CSRF token" }, answer.json));
  },

  "quoted-cookie": (deviation) =>
    when(
      Object.values(deviation.step.request.cookies ?? {}).some((value) => value.startsWith('"')) &&
        refusedAsInvalid(deviation),
    ),

  "js-proto": (deviation) => {
    const { step, answer, lacksProto } = deviation;
    const dropped = without(step.expect, "__proto__");
    if (lacksProto) return when(fits(deviation, dropped));
    if (!step.expect.minted) return undefined;
    if (answer.status >= 400 && answer.status < 500) return "go on";
    return fits(deviation, dropped) ? "proto dropped" : undefined;
  },

  "unsafe-original": (deviation) =>
    when(isError(deviation) || safeOutcomes(deviation).some((safe) => fits(deviation, safe))),

  // Only for HTTP clients that cannot send it; see the runner.
  "latin1-header": () => undefined,
};

export function allowanceFor(deviation: Deviation): Allowance {
  for (const tag of deviation.scenario.tags ?? []) {
    const rule = ALLOWANCES[tag];
    if (!rule) throw new Error(`${deviation.scenario.id}: unknown tag ${tag}`);
    const allowance = rule(deviation);
    if (allowance) return allowance;
  }
  return undefined;
}

/** Whether a refusal to start is a pass. */
export function mayRefuseToStart(scenario: Scenario): boolean {
  return scenario.tags?.some((tag) => tag === "misconfiguration" || tag === "unsafe-original") ?? false;
}

function inspectedWithoutCsrf(step: Step, { status, json }: Answer): boolean {
  return pathOf(step) === "/inspect" && status === 200 && isObject(json) && json.csrf === null;
}

function anonymousDespiteBody(step: Step, { status, json }: Answer): boolean {
  if (status !== 200 || !bodyIsNoObject(step)) return false;
  if (pathOf(step) === "/verify-optional") return equalJson({ result: null }, json);
  return OPTIONAL_PATHS.has(pathOf(step)) && equalJson(ANONYMOUS, json);
}

function bodyIsNoObject({ request }: Step): boolean {
  if (request.json !== undefined) return !isObject(request.json);
  try {
    return !isObject(JSON.parse(request.body ?? ""));
  } catch {
    return false;
  }
}

/** A lifetime with a fraction was taken, and `exp` cut to whole seconds. */
function mintedWithFraction({ scenario, step, answer }: Deviation): boolean {
  const payload = answer.status === 200 ? answer.minted?.payload : undefined;
  if (!payload) return false;
  const option = payload.type === "refresh" ? "JWT_REFRESH_TOKEN_EXPIRES" : "JWT_ACCESS_TOKEN_EXPIRES";
  const lifetime = requestBody(step).expires_delta ?? scenario.config[option];
  if (typeof lifetime !== "number" || Number.isInteger(lifetime)) return false;
  return payload.exp === Math.trunc(step.at + lifetime);
}

/** What FINDINGS, part A, would rather see than the recorded answer. */
function safeOutcomes({ step, answer }: Deviation): Expectation[] {
  const { expect } = step;
  const outcomes: Expectation[] = [];
  // A1: a lifetime of zero mints an expired token.
  if (expect.minted && !Object.hasOwn(expect.minted.payload, "exp") && answer.minted?.payload.exp !== undefined) {
    const payload = { ...expect.minted.payload, exp: Math.trunc(step.at) };
    outcomes.push({ ...expect, minted: { ...expect.minted, payload } });
  }
  const cookies = expect.set_cookies;
  if (cookies) {
    // A19: SameSite=None goes with Secure.
    const set_cookies = cookies.map((cookie) =>
      cookie.samesite?.toLowerCase() === "none" ? { ...cookie, secure: true as const } : cookie,
    );
    outcomes.push({ ...expect, set_cookies });
    // An age of zero is an age.
    if (requestBody(step).max_age === 0) {
      outcomes.push({ ...expect, set_cookies: cookies.map((cookie) => ({ ...cookie, max_age: 0 })) });
    }
  }
  return outcomes;
}
