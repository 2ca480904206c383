/** A moment by both clocks of this process, in milliseconds. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

/** Further apart the clocks do not drift by themselves: the machine was suspended, or its clock was set. */
const MOST_DRIFT = 1_000;

/** This moment. */
export const moment = (): Moment => ({ monotonic: performance.now(), wall: Date.now() });

/** The milliseconds from one moment to another; for ever where that cannot be known. */
export function elapsed(from: Moment, to: Moment): number {
  const passed = to.monotonic - from.monotonic;
  return Math.abs(to.wall - from.wall - passed) > MOST_DRIFT ? Number.POSITIVE_INFINITY : passed;
}
