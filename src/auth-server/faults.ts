/** What the operator must mend before the server can start. `faults` has all of it; the message is all that is printed. */
export class CannotStart extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      faults.length === 1 ? faults[0] : `The server cannot start:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`,
    );
    this.faults = faults;
  }
}

/** The code of an error of the system or of a driver. */
export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code || "unknown error");
