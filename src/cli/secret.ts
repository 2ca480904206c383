import { randomBytes } from "node:crypto";
import type { Command } from "./command.ts";
import { wholeNumber } from "./parse.ts";
import { writeFiles } from "./private-file.ts";

export const secret: Command = {
  name: "secret",
  summary: "Makes a random secret for HS256, HS384 or HS512.",
  takes: "",
  count: [0, 0],
  options: {
    out: { type: "string", value: "FILE", default: "jwt-secret", says: "Where to write it, with mode 0600." },
    force: { type: "boolean", says: "Replace the file if it is there." },
    print: { type: "boolean", says: "Print the secret instead of writing it." },
    bytes: { type: "string", value: "N", default: "48", says: "How many random bytes, 32 to 1024." },
  },
  notes: [
    "The bytes are written as base64url; 48 of them give 64 characters, which is enough for HS512.",
    "Keep the file out of the repository, and give its path to the application as JWT_SECRET_KEY_FILE.",
  ],
  run(input) {
    const bytes = wholeNumber(input, "bytes", 32, 1024);
    const text = randomBytes(bytes).toString("base64url");
    if (input.has("print")) return { ok: true, json: { bytes, secret: text }, text };
    const file = input.text("out") as string;
    writeFiles([{ path: file, text: `${text}\n`, isPrivate: true }], input.has("force"));
    const next = `JWT_SECRET_KEY_FILE=${file}`;
    return {
      ok: true,
      json: { bytes, file },
      text: `Wrote a secret of ${bytes} random bytes to ${file}.\nKeep it out of the repository, and start with ${next}`,
    };
  },
};
