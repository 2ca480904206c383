/** Where a command reads and writes: the process, or a test in its place. */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  out(line: string): void;
  err(line: string): void;
}

/** One `--name` of a command. */
export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** What stands for its value in the help. */
  readonly value?: string;
  readonly multiple?: boolean;
  /** What it is where it is left out, as text. */
  readonly default?: string;
  readonly says: string;
}

/** What was typed, checked against the command. */
export interface Input {
  readonly args: readonly string[];
  /** The text of an option. */
  text(name: string): string | undefined;
  /** All texts of an option that may come several times. */
  texts(name: string): readonly string[];
  has(name: string): boolean;
}

/** What a command has to say: `json` with `--json`, `text` without. */
export interface Outcome {
  /** False: the thing asked for is not so, or a fault was found. */
  readonly ok: boolean;
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** One command, such as `token mint`. */
export interface Command {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** What follows the name, such as `SUBJECT`. */
  readonly takes: string;
  /** How many arguments it takes, at least and at most. */
  readonly count: readonly [least: number, most: number];
  /** More to know, a line each. */
  readonly notes: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** An exit code: it has written itself whatever there was to say. */
  run(input: Input, io: Io): Promise<Outcome | number> | Outcome;
}

/** The command was typed wrongly: exit code 2. Its message holds nothing of what was typed but names of options. */
export class WrongUsage extends Error {}

/** The thing asked for cannot be done: exit code 1. Its message says why and what mends it, and holds no secret. */
export class Failure extends Error {
  readonly code: string;
  /** All that is wrong, where it is more than one thing. */
  readonly faults: readonly string[] | undefined;
  constructor(code: string, message: string, faults?: readonly string[]) {
    super(message);
    this.code = code;
    this.faults = faults;
  }
}
