import { createRequire } from "node:module";
import { type Command, Failure, type Io, type Outcome, WrongUsage } from "./command.ts";
import { doctor } from "./doctor/doctor.ts";
import { helpJson, helpOf, overview } from "./help.ts";
import { keysGenerate } from "./keys.ts";
import { parse } from "./parse.ts";
import { secret } from "./secret.ts";
import { serve } from "./serve.ts";
import { migrate, purge } from "./stores.ts";
import { tokenInspect } from "./token-inspect.ts";
import { tokenMint } from "./token-mint.ts";
import { tokenVerify } from "./token-verify.ts";

export const COMMANDS: readonly Command[] = [
  secret,
  keysGenerate,
  tokenMint,
  tokenInspect,
  tokenVerify,
  migrate,
  purge,
  serve,
  doctor,
];

// The package is two folders above, in the build as in the source.
const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** Runs what was typed and answers the exit code: 0 all is well, 1 it is not so or a fault was found, 2 wrong usage. */
export async function run(typed: readonly string[], io: Io): Promise<number> {
  const words = typed.map((word) => (word === "-h" ? "--help" : word));
  const asJson = words.includes("--json");
  const say = ({ ok, json, text }: Outcome): number => {
    io.out(shown(asJson ? JSON.stringify({ ok, ...json }) : text));
    return ok ? 0 : 1;
  };
  const refuse = (exit: 1 | 2, code: string, message: string, faults?: readonly string[]): number => {
    if (asJson) io.out(shown(JSON.stringify({ ok: false, error: { code, message, faults } })));
    else io.err(shown(message));
    return exit;
  };
  try {
    const command = COMMANDS.find(({ name }) => name.split(" ").every((word, at) => words[at] === word));
    if (!command) return say(overviewFor(words));
    const input = parse(command, words.slice(command.name.split(" ").length));
    if (input.has("help")) return say({ ok: true, json: helpJson([command]), text: helpOf(command) });
    const outcome = await command.run(input, io);
    return typeof outcome === "number" ? outcome : say(outcome);
  } catch (error) {
    if (error instanceof WrongUsage) return refuse(2, "wrong_usage", `${error.message} --help tells what there is.`);
    if (error instanceof Failure) return refuse(1, error.code, error.message, error.faults);
    return refuse(1, "unexpected", unexpected(error));
  }
}

function overviewFor(words: readonly string[]): Outcome {
  const asks = words.some((word) => word === "--help" || word === "help");
  const first = words.filter((word) => word !== "--json" && word !== "--help" && word !== "help");
  if (first.length === 1 && first[0] === "--version") return { ok: true, json: { version }, text: version };
  const group = COMMANDS.filter(({ name }) => first.length === 1 && name.startsWith(`${first[0]} `));
  if (asks && group.length > 0) return helpOn(group);
  // What was typed is not repeated: it may be a token that stands in the wrong place.
  if (first.length > 0) throw new WrongUsage("There is no such command.");
  if (!asks) throw new WrongUsage(`${overview(COMMANDS)}\n\nName a command.`);
  return helpOn(COMMANDS);
}

const helpOn = (commands: readonly Command[]): Outcome => ({
  ok: true,
  json: helpJson(commands),
  text: overview(commands),
});

/** A mistake of ours, or of a driver. Its message may hold anything, but no token and no address with a password. */
function unexpected(error: unknown): string {
  const { name = "Error", message = "" } = error as Partial<Error>;
  const clean = message
    .replace(/[\w-]*\.[\w-]{8,}\.[\w-]*/g, "[token]")
    .replace(/\b[a-z][a-z+.-]*:\/\/\S+/gi, "[address]");
  return `${name}: ${clean}`;
}

/** Characters that could command a terminal are written as JSON writes them: a claim may hold any text. */
const shown = (text: string): string =>
  text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is meant
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
