import { randomBytes } from "node:crypto";
import type { JwtRequest } from "../http/types.ts";
import type { MaybePromise } from "../types.ts";
import type { AddressOf } from "./address.ts";
import type { Asking, Keyed } from "./secrets.ts";

/** What the audit trail tells of. */
export const AUDIT_KINDS = [
  "register",
  "login",
  "refresh",
  "race",
  "reuse",
  "revoke",
  "password",
  "roles",
  "disable",
  "enable",
  "delete",
] as const;

/** One of them. `race`: a refresh token came twice within its grace from two different clients. `reuse`: it was stolen. */
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** One entry. No token, password, name or plain address ever stands in it. */
export interface AuditEntry {
  /** Sorts by time, as text. */
  readonly id: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly kind: AuditKind;
  /** `"ok"`, or the code of the refusal. */
  readonly outcome: string;
  /** The user whom it is about; null where there is none, such as at a login under an unknown name. */
  readonly subject: string | null;
  /** Who did it, where that is somebody else. */
  readonly actor: string | null;
  readonly session: string | null;
  /** A keyed hash, the same as in the list of sessions. */
  readonly address: string | null;
  /** The client's own words, cut to 256 characters, control characters replaced. Show it as text. */
  readonly userAgent: string | null;
  /** What was ended (`"session"`, `"subject"` …), or the roles given. */
  readonly detail: string | null;
}

/** What an administrator asks for. The newest entries come first. */
export interface AuditQuery {
  readonly subject?: string | undefined;
  readonly kind?: AuditKind | undefined;
  /** The id of an entry: those before it. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Where the trail is kept. */
export interface AuditStore {
  add(entry: AuditEntry): MaybePromise<void>;
  find(query: AuditQuery): MaybePromise<readonly AuditEntry[]>;
}

/** A logger in pino's shape. */
export interface Logger {
  info(entry: object, message: string): void;
  warn(entry: object, message: string): void;
  error(entry: object, message: string): void;
}

/** Who made a request. */
export interface Client {
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** What is recorded beside the client and the time. */
export type AuditFacts = Pick<AuditEntry, "kind" | "outcome"> &
  Partial<Pick<AuditEntry, "actor" | "session" | "detail">> & {
    readonly client?: Client | undefined;
    /** May have to be looked up; the entry keeps its place in time. */
    readonly subject?: string | null | Promise<string | null>;
  };

/** Writes the trail. */
export interface Recorder {
  /** Hands an entry to the logger and the store. It never fails: a trail that cannot be written is told to the logger. */
  record(facts: AuditFacts): Promise<void>;
  /** What may be kept of a client. */
  clientOf(request: JwtRequest): Promise<Client>;
}

const NOBODY: Client = Object.freeze({ address: null, userAgent: null });
const MAX_USER_AGENT = 256;
// Whoever shows a log in a terminal must not be told what to do by a client.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The text that goes into entries and logs. */
export const plainText = (text: string): string => text.slice(0, MAX_USER_AGENT).replace(CONTROL, " ");

export function createRecorder(
  store: AuditStore | undefined,
  logger: Logger | undefined,
  { addressOf, keyed, ask, clock }: { addressOf: AddressOf; keyed: Keyed; ask: Asking; clock: () => number },
): Recorder {
  return {
    async record({ client = NOBODY, kind, outcome, ...facts }) {
      const at = Math.floor(clock());
      const id = entryId(at);
      const { actor = null, session = null, detail = null } = facts;
      const subject = (await facts.subject) ?? null;
      const entry: AuditEntry = { id, at, kind, outcome, subject, actor, session, ...client, detail };
      tell(logger, entry);
      try {
        await ask(() => store?.add(entry));
      } catch (error) {
        logger?.error({ err: error, audit: entry }, "the audit trail could not be written");
      }
    },
    async clientOf(request) {
      const [userAgent] = request.header("user-agent");
      const address = addressOf(request);
      return {
        address: address === undefined ? null : await keyed(address),
        userAgent: userAgent === undefined ? null : plainText(userAgent),
      };
    },
  };
}

function tell(logger: Logger | undefined, entry: AuditEntry): void {
  const isFine = entry.outcome === "ok" && entry.kind !== "reuse" && entry.kind !== "race";
  logger?.[isFine ? "info" : "warn"]({ audit: entry }, `${entry.kind}: ${entry.outcome}`);
}

let latest = 0;
let more = 0;

/** 48 bits of time, 16 that count within a millisecond, and 64 random ones, as hex, which sorts in every collation. */
function entryId(at: number): string {
  more = at > latest ? 0 : (more + 1) & 0xffff;
  latest = Math.max(latest, at);
  return latest.toString(16).padStart(12, "0") + more.toString(16).padStart(4, "0") + randomBytes(8).toString("hex");
}
