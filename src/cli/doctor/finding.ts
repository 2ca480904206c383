/** What the doctor has to say about one thing. */
export interface Finding {
  /** What was looked at, such as `clock`. */
  readonly check: string;
  /** `skipped`: it could not be looked at, and `says` why. Only a fault makes the doctor end with 1. */
  readonly level: "ok" | "fault" | "warning" | "skipped";
  readonly says: string;
  /** What is to be done about it. */
  readonly mend?: string | undefined;
}

export const ok = (check: string, says: string): Finding => ({ check, level: "ok", says });
export const skipped = (check: string, says: string): Finding => ({ check, level: "skipped", says });
export const fault = (check: string, says: string, mend?: string): Finding => ({ check, level: "fault", says, mend });
export const warning = (check: string, says: string, mend: string): Finding => ({
  check,
  level: "warning",
  says,
  mend,
});

/** The findings of those rules that are broken. */
export const broken = (rules: readonly (readonly [isBroken: boolean, finding: Finding])[]): readonly Finding[] =>
  rules.flatMap(([isBroken, finding]) => (isBroken ? [finding] : []));

/** The findings, or that all is well. */
export const orOk = (found: readonly Finding[], check: string, says: string): readonly Finding[] =>
  found.length > 0 ? found : [ok(check, says)];

/** Seconds by which clocks may differ: what `leeway` forgives. */
const LEEWAY = 5;

/** Judges how far another clock is ahead of ours, in seconds; `unsure` is how much of it may be the way there. */
export function clockFinding(whose: string, ahead: number, unsure: number): Finding {
  if (Math.abs(ahead) - unsure <= LEEWAY)
    return ok("clock", `The clock of ${whose} and ours agree within ${LEEWAY} s.`);
  const way = ahead > 0 ? "ahead of" : "behind";
  return fault(
    "clock",
    `The clock of ${whose} is ${Math.round(Math.abs(ahead))} s ${way} ours: tokens expire too early or too late, or are refused as made in the future.`,
    "Let both machines keep time by NTP (chrony, systemd-timesyncd).",
  );
}
