/**
 * Waits for an answer, but no longer than `limit` milliseconds; then it fails with what `late` makes. By a timer of our
 * own: drivers queue for ever while they reconnect. A late answer is dropped, a late error is swallowed.
 */
export function withinLimit<T>(answer: PromiseLike<T>, limit: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), limit);
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
