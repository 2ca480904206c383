/** A clock that stands still until it is moved. Give it to a manager or a store as `clock`. */
export interface FakeClock {
  /** The present time in milliseconds. */
  (): number;
  /** Moves the clock by seconds, back as well as forth. */
  advance(seconds: number): void;
  /** Sets the clock to Unix milliseconds. */
  set(milliseconds: number): void;
}

/** Makes a clock that starts at Unix milliseconds. @param start default: the present time, cut to whole seconds */
export function fakeClock(start: number = Math.floor(Date.now() / 1000) * 1000): FakeClock {
  let now = start;
  const clock = (): number => now;
  return Object.assign(clock, {
    advance: (seconds: number): void => {
      now += seconds * 1000;
    },
    set: (milliseconds: number): void => {
      now = milliseconds;
    },
  });
}
