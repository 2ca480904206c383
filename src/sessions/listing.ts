import type { SessionRow } from "../stores/contract.ts";

/** One login of a user, as a page of devices shows it. Times are Unix milliseconds. */
export interface SessionInfo {
  readonly sessionId: string;
  readonly createdAt: number;
  /** When a token of it was last seen; written at most once a minute. */
  readonly lastUsedAt: number;
  /** The client's own words, cut to 256 characters. Show it as text. */
  readonly userAgent: string | undefined;
  /** A keyed hash of the address it logged in from: good for telling two apart, for nothing else. */
  readonly address: string | undefined;
  /** Whether it is the session that asks. */
  readonly current: boolean;
}

/** What may be shown of a session. */
export function sessionInfo(row: SessionRow, current: string | undefined): SessionInfo {
  const { sid, born, lastUsedAt, userAgent, address } = row;
  return { sessionId: sid, createdAt: born, lastUsedAt, userAgent, address, current: sid === current };
}
