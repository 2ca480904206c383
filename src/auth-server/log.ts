import { type Logger, pino } from "pino";
import type { Settings } from "./settings.ts";

/** Where the server writes. */
export interface ServeIo {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** A stream of a process. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export type Log = Logger;

type LogSettings = Pick<Settings, "logFormat" | "logLevel" | "production">;

const TOKEN = /eyJ[\w-]*\.[\w-]*(?:\.[\w-]*)*/g;
const CREDENTIALS = /:\/\/[^\s"/@]*@/g;
const HIDDEN = ["password", "token", "secret", "cookie", "authorization", "headers", "body", "url", "query"];

/** Whether people read what is written, rather than programs. */
export const isForPeople = ({ logFormat, production }: LogSettings, { stdout }: ServeIo): boolean =>
  logFormat === undefined ? !production || stdout.isTTY === true : logFormat === "text";

/**
 * Opens the log: lines of JSON, or of text for people. No token, cookie, password or query string gets into it: requests are
 * never logged as a whole, fields of such names are blotted out, and what has the form of a token or of credentials in an
 * address is taken out of every line.
 * @param fields what belongs to every line, such as the id of the request that is going on
 */
export function openLog(settings: LogSettings, io: ServeIo, fields: () => object): Log {
  const show = isForPeople(settings, io) ? asText : (line: string) => line;
  const write = (line: string): void => {
    io.stdout.write(show(line.replace(TOKEN, "[token]").replace(CREDENTIALS, "://[credentials]@")));
  };
  return pino(
    {
      level: settings.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      mixin: fields,
      serializers: { err: shownError },
      redact: { paths: HIDDEN.flatMap((name) => [name, `*.${name}`]), censor: "[hidden]" },
    },
    { write },
  );
}

/** Members of errors beside these may hold what was sent: drivers put rows and parameters there. */
function shownError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  const { code, detail } = error as { code?: unknown; detail?: unknown };
  const ours = name.endsWith("Error") && typeof detail === "string" && "status" in error ? { detail } : {};
  return { type: name, code, message, ...ours, stack, ...(cause !== undefined && { cause: shownError(cause) }) };
}

interface Line {
  readonly time: string;
  readonly level: string;
  readonly msg?: string;
  readonly err?: { readonly stack?: string };
}

/** `12:30:01 GET /protected 200` */
function asText(line: string): string {
  const { time, level, msg = "", err } = JSON.parse(line) as Line;
  const mark = level === "info" ? "" : `${level}: `;
  return `${time.slice(11, 19)} ${mark}${msg}\n${err?.stack ? `${err.stack}\n` : ""}`;
}
