import { createHash } from "node:crypto";
import { type RawBuilder, sql } from "kysely";
import type { Database } from "./engine.ts";

/** What the parameters of one run are called by. */
export type Values = Readonly<Record<string, unknown>>;

/** A parameter that gets its value when its statement runs. */
export class Late {
  readonly read: (values: Values) => unknown;
  constructor(read: (values: Values) => unknown) {
    this.read = read;
  }
}

/** A parameter that is given by name at each run. */
export function given(name: string): RawBuilder<unknown> {
  const read = (values: Values): unknown => {
    if (values[name] === undefined) throw new TypeError(`the statement was not given ${name}`);
    return values[name];
  };
  return sql`${new Late(read)}`;
}

/** A statement that is compiled once and run many times. */
export interface Statement {
  readonly text: string;
  readonly parameters: readonly unknown[];
  /** The same for the same text everywhere, so that processes which share a connection mean the same by it. */
  readonly name: string;
}

export function compile(statement: RawBuilder<unknown>, db: Database): Statement {
  const { sql: text, parameters } = statement.compile(db);
  return { text, parameters, name: `jx_${createHash("sha256").update(text).digest("hex").slice(0, 24)}` };
}

/** The parameters of one run, in their order. */
export function parametersOf(parameters: readonly unknown[], values: Values = {}): unknown[] {
  return parameters.map((parameter) => (parameter instanceof Late ? parameter.read(values) : parameter));
}
