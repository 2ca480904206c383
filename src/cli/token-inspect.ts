import { JwtError } from "../errors.ts";
import { readHeader, readUnverifiedClaims } from "../token/verify.ts";
import type { Command, Outcome } from "./command.ts";
import { readToken, TOKEN_NOTE, TOKEN_OPTIONS } from "./token-input.ts";

/** What may be shown is wider than what is taken: only the form must be right. */
const FORM = { paddedBase64: false, lastNameWins: false, strictHeader: false, maxBytes: 64 * 1024 };

export const tokenInspect: Command = {
  name: "token inspect",
  summary: "Shows what stands in a token, without verifying anything.",
  takes: "[TOKEN]",
  count: [0, 1],
  options: TOKEN_OPTIONS,
  notes: [TOKEN_NOTE, "Anybody can write such a token: token verify tells whether it is good."],
  async run(input, io) {
    const token = await readToken(input, io);
    const header = readHeader(token, FORM);
    const claims = header instanceof JwtError ? header : readUnverifiedClaims(token, FORM);
    if (header instanceof JwtError) return notOne(header);
    if (claims instanceof JwtError) return notOne(claims);
    const now = Date.now();
    return {
      ok: true,
      json: { verified: false, header, claims, expired: isPast(claims.exp, now) },
      text: [
        "Not verified: anybody can have written this.",
        "header:",
        indented(header),
        "claims:",
        indented(claims),
        ...timesOf(claims, now),
      ].join("\n"),
    };
  },
};

const notOne = ({ code, detail }: JwtError): Outcome => ({
  ok: false,
  json: { verified: false, error: { code, message: `This is no token: ${detail}.` } },
  text: `This is no token: ${detail}.`,
});

const isPast = (exp: unknown, now: number): boolean | undefined =>
  typeof exp === "number" ? exp * 1000 <= now : undefined;

const indented = (value: object): string => JSON.stringify(value, null, 2).replace(/^/gm, "  ");

const TIMES = { iat: "made", nbf: "good", auth_time: "logged in", exp: "expires" } as const;

/** A line for each time, as people read it. */
export function timesOf(claims: Readonly<Record<string, unknown>>, now: number): string[] {
  return Object.entries(TIMES).flatMap(([name, word]) => {
    const time = claims[name];
    if (typeof time !== "number" || !Number.isFinite(time) || Math.abs(time) > 8.64e12) return [];
    const distance = time * 1000 - now;
    const what =
      name === "exp" && distance <= 0 ? "expired" : name === "nbf" && distance > 0 ? "not good before" : word;
    return [`${name}: ${what} ${new Date(time * 1000).toISOString()}, ${apart(distance)}`];
  });
}

const UNITS = [
  ["days", 86_400],
  ["hours", 3600],
  ["minutes", 60],
] as const;

function apart(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  const [unit, size] = UNITS.find(([, length]) => seconds >= 2 * length) ?? ["seconds", 1];
  const text = `${Math.floor(seconds / size)} ${unit}`;
  return milliseconds > 0 ? `in ${text}` : `${text} ago`;
}
