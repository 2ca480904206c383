import type { Line } from "./proxy.ts";

/** A database server that was started here and may be ill-treated. */
export interface Server {
  readonly port: number;
  /** The way that clients take anyhow; absent where one has to be made. */
  readonly line?: Line;
  /** Starts it, or starts it again on what it had written; ready when it answers. */
  start(): Promise<void>;
  /** SIGKILL: what was not written is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, and nothing answers. */
  hang(): void;
  resume(): void;
  /** Makes it refuse writes, or take them again. */
  readOnly(on: boolean): Promise<void>;
  /** Takes everything out of it. */
  empty(): Promise<void>;
  /** Ends it for good and removes its files. */
  close(): Promise<void>;
}
