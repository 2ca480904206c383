import { readFileSync } from "node:fs";
import { Failure, type Input, type Io, type OptionSpec, WrongUsage } from "./command.ts";

/** Far more than any token has. */
const MOST_BYTES = 64 * 1024;

export const TOKEN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  file: { type: "string", value: "FILE", says: 'Read the token from a file; "-" is standard input.' },
};

export const TOKEN_NOTE =
  "The token is an argument, a file, or what comes on standard input. Other users of the machine can see arguments.";

/**
 * The token of the command line, of `--file` or of standard input, without white space around it and `Bearer` before it.
 * @throws WrongUsage where there is none; Failure `file_unreadable`, `input_too_large`
 */
export async function readToken(input: Input, { stdin }: Pick<Io, "stdin">): Promise<string> {
  const [argument] = input.args;
  const file = input.text("file");
  if (argument !== undefined && file !== undefined) {
    throw new WrongUsage("Give the token once: as an argument or by --file.");
  }
  if (argument === undefined && file === undefined && stdin.isTTY) {
    throw new WrongUsage("Give a token: as an argument, by --file, or on standard input.");
  }
  const place = argument ?? file ?? "-";
  const text = place === "-" ? await all(stdin) : (argument ?? contentOf(place));
  const token = text.trim().replace(/^bearer +/i, "");
  if (token === "")
    throw new WrongUsage("Give a token: as an argument, by --file, or on standard input. This was empty.");
  return token;
}

async function all(stdin: Io["stdin"]): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stdin) {
    const bytes = Buffer.from(piece);
    length += bytes.length;
    if (length > MOST_BYTES) throw tooLarge();
    pieces.push(bytes);
  }
  return Buffer.concat(pieces).toString();
}

const tooLarge = (): Failure => new Failure("input_too_large", "What was read is longer than any token.");

function contentOf(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Failure("file_unreadable", `${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  if (text.length > MOST_BYTES) throw tooLarge();
  return text;
}
