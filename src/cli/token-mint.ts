import { isJwtError } from "../errors.ts";
import { type Command, Failure, type Input, WrongUsage } from "./command.ts";
import { ENVIRONMENT_OPTIONS, environmentOf, managerOf, TOKEN_VARIABLES } from "./configuration.ts";
import { writeFiles } from "./private-file.ts";

export const tokenMint: Command = {
  name: "token mint",
  summary: "Makes a token of no session, signed with the configured key.",
  takes: "SUBJECT",
  count: [1, 1],
  options: {
    refresh: { type: "boolean", says: "Make a refresh token instead of an access token." },
    fresh: { type: "boolean", says: "Make it fresh, as a login does." },
    expires: { type: "string", value: "TIME", says: "How long it lives: seconds, or such as 90s, 15m, 12h, 30d." },
    claim: {
      type: "string",
      value: "NAME=VALUE",
      multiple: true,
      says: "A further claim; the value is JSON, or else text. It can come several times.",
    },
    out: { type: "string", value: "FILE", says: "Write it to a file, with mode 0600, instead of printing it." },
    force: { type: "boolean", says: "Replace the file if it is there." },
    ...ENVIRONMENT_OPTIONS,
  },
  notes: [
    TOKEN_VARIABLES,
    "A token opens doors until it expires, and one of no session can only be revoked by itself.",
  ],
  async run(input, io) {
    const [subject = ""] = input.args;
    const isRefresh = input.has("refresh");
    if (isRefresh && input.has("fresh")) throw new WrongUsage("--fresh is for access tokens only.");
    const claims = claimsOf(input);
    const expires = input.text("expires");
    const manager = managerOf(environmentOf(input, io), null);
    const options = { claims, ...(expires === undefined ? {} : { expires: durationOf(expires) }) };
    let token: string;
    try {
      token = await (isRefresh
        ? manager.createRefreshToken(subject, options)
        : manager.createAccessToken(subject, { ...options, fresh: input.has("fresh") }));
    } catch (error) {
      // Our own sentences, which hold no input.
      throw isJwtError(error) ? new Failure(error.code, error.message) : error;
    }
    const type = isRefresh ? "refresh" : "access";
    const { jti, exp } = await manager.decodeToken(token);
    const file = input.text("out");
    if (file === undefined) return { ok: true, json: { type, token, jti, exp }, text: token };
    writeFiles([{ path: file, text: `${token}\n`, isPrivate: true }], input.has("force"));
    return { ok: true, json: { type, file, jti, exp }, text: `Wrote the ${type} token to ${file}.` };
  },
};

const durationOf = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);

function claimsOf(input: Input): Record<string, unknown> {
  const pairs = input.texts("claim").map((text): [string, unknown] => {
    const at = text.indexOf("=");
    if (at < 1) throw new WrongUsage("--claim takes NAME=VALUE.");
    return [text.slice(0, at), claimValue(text.slice(at + 1))];
  });
  return Object.fromEntries(pairs);
}

function claimValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
