let passed = 0;
let failed = 0;

/** Runs one check and prints its outcome; a check fails by throwing. Answers what it gave, or nothing if it failed. */
export async function check<T>(name: string, run: () => T | Promise<T>): Promise<T | undefined> {
  const result = await attempt(name, run);
  if (result !== undefined) {
    passed++;
    console.log(`ok      ${name}`);
  }
  return result?.value;
}

/** Runs checks and what they need; only a failure of the latter is counted, under this name. */
export async function attempt<T>(name: string, run: () => T | Promise<T>): Promise<{ readonly value: T } | undefined> {
  try {
    return { value: await run() };
  } catch (error) {
    failed++;
    const reason = error instanceof Error ? error.message : String(error);
    console.log(`FAILED  ${name}\n${reason.trim().replace(/^/gm, "        ")}`);
    return undefined;
  }
}

/** Throws with the list of faults if there are any. */
export function none(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(faults.join("\n"));
}

export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== wanted) throw new Error(`${what} is ${is}, expected ${wanted}`);
}

/** Prints `N passed, N failed` as the last line and sets the exit code. */
export function finish(): void {
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
