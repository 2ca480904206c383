import type { Step, StepRequest } from "./format.ts";
import type { MintedToken } from "./tokens.ts";
import { mapText } from "./values.ts";

/** A request as the client takes it. */
export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string;
}

/** Puts a request into raw form (SPEC, section 3). */
export function rawRequest(request: StepRequest): RawRequest {
  const headers = [...(request.headers ?? [])];
  const hasType = headers.some(([name]) => name.toLowerCase() === "content-type");
  if (request.cookies) {
    const pairs = Object.entries(request.cookies).map(([name, value]) => `${name}=${value}`);
    headers.push(["Cookie", pairs.join("; ")]);
  }
  let body = request.body;
  let type: string | undefined;
  if (request.json !== undefined) {
    body = JSON.stringify(request.json);
    type = "application/json";
  } else if (request.form !== undefined) {
    body = new URLSearchParams(request.form).toString();
    type = "application/x-www-form-urlencoded";
  }
  if (type !== undefined && !hasType) headers.push(["Content-Type", type]);
  return { method: request.method, path: request.path, headers, ...(body === undefined ? {} : { body }) };
}

const VARIABLE = /\{\{steps\.(\d+)\.(token|csrf|jti)\}\}/g;

/** The number of a step whose token is wanted, but which minted none. */
export class MissingToken extends Error {
  readonly stepIndex: number;
  constructor(stepIndex: number, what: string) {
    super(`step ${stepIndex} minted no token with ${what}`);
    this.stepIndex = stepIndex;
  }
}

/** The numbers of the steps whose tokens a request uses. */
export function stepsUsedBy(request: StepRequest): Set<number> {
  return new Set([...JSON.stringify(request).matchAll(VARIABLE)].map((match) => Number(match[1])));
}

/** A step in which every `{{steps.N.…}}` has become the value from that step. */
export function fillVariables(step: Step, minted: readonly (MintedToken | undefined)[]): Step {
  const change = (text: string): string =>
    text.replace(VARIABLE, (_, number: string, what: string) => {
      const token = minted[Number(number)];
      const value = what === "token" ? token?.token : token?.payload[what];
      if (typeof value !== "string") throw new MissingToken(Number(number), what);
      return value;
    });
  return { ...step, request: mapText(step.request, change), expect: mapText(step.expect, change) };
}
