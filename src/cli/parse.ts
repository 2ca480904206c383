import { parseArgs } from "node:util";
import { type Command, type Input, type OptionSpec, WrongUsage } from "./command.ts";

/** What every command takes. */
export const COMMON: Readonly<Record<string, OptionSpec>> = {
  json: { type: "boolean", says: "Print one JSON object instead of text." },
  help: { type: "boolean", says: "Print this help." },
};

/**
 * Reads what was typed behind the name of a command.
 * @throws WrongUsage for what the command does not take; its message never repeats an argument, which may be a token
 */
export function parse(command: Command, args: readonly string[]): Input {
  const specs = { ...command.options, ...COMMON };
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
  const { values, positionals } = read(args, options);
  const [least, most] = command.count;
  if (!values.help && (positionals.length < least || positionals.length > most)) {
    const wanted = command.takes === "" ? "no arguments" : command.takes;
    throw new WrongUsage(`It takes ${wanted}, and was given ${positionals.length} arguments.`);
  }
  const given = (name: string): readonly string[] => {
    const fallback = specs[name]?.default;
    return ([values[name] ?? fallback ?? []] as (string | string[])[]).flat();
  };
  return {
    args: positionals,
    text: (name) => given(name)[0],
    texts: given,
    has: (name) => values[name] !== undefined,
  };
}

type Specs = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>["options"]>;

function read(args: readonly string[], options: Specs) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (!code?.startsWith("ERR_PARSE_ARGS")) throw error;
    const [, name = ""] = /'(?:-\w, )?--?([\w-]{1,30})/.exec(message) ?? [];
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
      // A word that is no option may be a secret that begins with a dash.
      const known = /^[a-z]+(-[a-z]+)*$/.test(name) ? ` --${name}` : "";
      throw new WrongUsage(`There is no option${known} here.`);
    }
    throw new WrongUsage(
      options[name]?.type === "string"
        ? `--${name} needs a value; one that begins with a dash is written --${name}=VALUE.`
        : `--${name} takes no value.`,
    );
  }
}

/**
 * A whole number of an option.
 * @throws WrongUsage for anything else, or out of bounds
 */
export function wholeNumber(input: Input, name: string, least: number, most: number): number {
  const text = input.text(name) ?? "";
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new WrongUsage(`--${name} must be a whole number from ${least} to ${most}.`);
}
