import type { Command, OptionSpec } from "./command.ts";
import { COMMON } from "./parse.ts";

const PROGRAM = "jwt-extended";

const EXIT_CODES = [
  ["0", "all is well"],
  ["1", "the thing asked for is not so, cannot be done, or a fault was found"],
  ["2", "the command was typed wrongly"],
] as const;

/** Lines of two columns. */
function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

const optionRow = ([name, { value, says, default: fallback }]: [string, OptionSpec]): readonly [string, string] => [
  `--${name}${value === undefined ? "" : ` ${value}`}`,
  fallback === undefined ? says : `${says} Left out: ${fallback}.`,
];

const usageOf = ({ name, takes }: Command): string =>
  [PROGRAM, name, takes, "[options]"].filter((part) => part !== "").join(" ");

/** The help of one command. */
export function helpOf(command: Command): string {
  return [
    command.summary,
    "",
    `Usage: ${usageOf(command)}`,
    "",
    ...columns(Object.entries({ ...command.options, ...COMMON }).map(optionRow)),
    "",
    ...command.notes,
    ...(command.notes.length > 0 ? [""] : []),
    "Exit codes:",
    ...columns(EXIT_CODES),
  ].join("\n");
}

/** The help of the whole. */
export function overview(commands: readonly Command[]): string {
  return [
    "Secrets, keys, tokens and stores of jwt-extended, an auth server, and a doctor for all of them.",
    "",
    `Usage: ${PROGRAM} COMMAND [options]`,
    "",
    ...columns(commands.map(({ name, summary }) => [name, summary] as const)),
    "",
    `${PROGRAM} COMMAND --help tells more. Every command takes --json. --version tells which release this is.`,
    "",
    "Exit codes:",
    ...columns(EXIT_CODES),
  ].join("\n");
}

/** The same for programs. */
export const helpJson = (commands: readonly Command[]): Readonly<Record<string, unknown>> => ({
  commands: commands.map((command) => ({
    name: command.name,
    summary: command.summary,
    usage: usageOf(command),
    options: Object.entries({ ...command.options, ...COMMON }).map(([name, { type, value, says }]) => ({
      name: `--${name}`,
      type,
      value,
      says,
    })),
    notes: command.notes,
  })),
  exitCodes: Object.fromEntries(EXIT_CODES),
});
