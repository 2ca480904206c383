const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/**
 * Reads a length of time in seconds: a finite number as it is, or text of digits and one unit (`"90s"`, `"15m"`, `"12h"`, `"30d"`, `"2w"`).
 * Returns `undefined` for anything else. Negative numbers are returned: whether they make sense is the caller's matter.
 */
export function parseDuration(value: number | string): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.length > 16) return undefined;
  const match = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(value);
  if (match === null) return undefined;
  const unit = UNIT_SECONDS[match[2] as string] as number;
  return Number(match[1]) * unit;
}
