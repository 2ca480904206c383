import { cookieFault } from "./cookies.ts";
import type { Expectation, ExpectedToken, Json, KeyReader, Scenario } from "./format.ts";
import { type MintedToken, mintedToken, verifySignature } from "./tokens.ts";
import { equalJson, isObject, mapText, short } from "./values.ts";

/** What came back for a step. */
export interface Answer {
  readonly status: number;
  /** All header lines. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly setCookies: readonly string[];
  readonly text: string;
  /** The body as JSON, `undefined` where it is none. */
  readonly json: unknown;
  readonly minted: MintedToken | undefined;
}

/** What an answer is held against beside its expectation. */
export interface Surroundings {
  readonly scenario: Pick<Scenario, "config" | "callbacks">;
  readonly key: KeyReader;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function answerOf(reply: {
  readonly status: number;
  readonly headers: Answer["headers"];
  readonly setCookies: readonly string[];
  readonly text: string;
}): Answer {
  let json: unknown;
  try {
    json = JSON.parse(reply.text);
  } catch {
    // Whether there had to be JSON is for the comparison to say.
  }
  return { ...reply, json, minted: mintedToken(json, reply.setCookies) };
}

/** Puts the values of the token minted in this step in the place of `<token>`, `<csrf>` and `<jti>`. */
function fillIn(expect: Expectation, minted: MintedToken): Expectation {
  const values = new Map<string, unknown>([
    ["<token>", minted.token],
    ["<csrf>", minted.payload.csrf],
    ["<jti>", minted.payload.jti],
  ]);
  const change = (text: string): string => {
    const value = values.get(text);
    return typeof value === "string" ? value : text;
  };
  const { minted: token, ...rest } = expect;
  return { ...mapText(rest, change), ...(token ? { minted: token } : {}) };
}

/** The member that holds the sentence of a `pyjwt` answer: the only one whose text is free. */
function freeMember(expect: Expectation, { scenario }: Surroundings): string | undefined {
  if (expect.text_from !== "pyjwt" || !isObject(expect.json ?? null)) return undefined;
  if (scenario.callbacks.invalid_token_loader === "teapot") return "reason";
  return String(scenario.config.JWT_ERROR_MESSAGE_KEY ?? "msg");
}

function sameBody(want: Json, got: unknown, free: string | undefined): boolean {
  if (free === undefined || !isObject(want) || !Object.hasOwn(want, free)) return equalJson(want, got);
  if (!isObject(got)) return false;
  const message = Object.hasOwn(got, free) ? got[free] : undefined;
  if (typeof message !== "string" || message === "") return false;
  return equalJson({ ...want, [free]: message }, got);
}

const sameOrUuid = (want: Json, got: unknown): boolean =>
  want === "<uuid>" && typeof got === "string" && UUID.test(got);

function tokenFaults(want: ExpectedToken, minted: MintedToken, around: Surroundings): string[] {
  const faults: string[] = [];
  if (!equalJson(want.header, minted.header, sameOrUuid)) {
    faults.push(`minted header: expected ${short(want.header)}, got ${short(minted.header)}`);
  }
  if (!equalJson(want.payload, minted.payload, sameOrUuid)) {
    faults.push(`minted payload: expected ${short(want.payload)}, got ${short(minted.payload)}`);
  }
  if (want.verify_key !== null && !verifySignature(minted.token, want.verify_key, around.key)) {
    faults.push("minted token: the signature does not verify");
  }
  return faults;
}

/** All differences between an answer and an expectation, by the rules of SPEC, section 4, without its tags. */
export function differences(expectation: Expectation, answer: Answer, around: Surroundings): string[] {
  if (expectation.status !== answer.status) {
    return [
      `status: expected ${expectation.status} ${short(expectation.json ?? "")}, got ${answer.status} ${short(answer.text)}`,
    ];
  }
  if (expectation.text_from === "werkzeug") return [];
  const faults: string[] = [];
  if (expectation.minted) {
    if (!answer.minted) return [`minted: no token in ${short(answer.text)}`];
    faults.push(...tokenFaults(expectation.minted, answer.minted, around));
  }
  const expect = expectation.minted && answer.minted ? fillIn(expectation, answer.minted) : expectation;

  if (expect.empty_body && answer.text !== "") faults.push(`body: expected none, got ${short(answer.text)}`);
  if (expect.json !== undefined && !sameBody(expect.json, answer.json, freeMember(expect, around))) {
    faults.push(`body: expected ${short(expect.json, 600)}, got ${short(answer.text, 600)}`);
  }
  const cookies = cookieFault(expect.set_cookies ?? [], answer.setCookies);
  if (cookies) faults.push(cookies);
  for (const [name, value] of Object.entries(expect.headers ?? {})) {
    const got = answer.headers.filter(([sent]) => sent.toLowerCase() === name.toLowerCase()).map(([, text]) => text);
    if (!equalJson([value], got)) faults.push(`header ${name}: expected ${short(value)}, got ${short(got)}`);
  }
  return faults;
}
