/** What tabs tell each other: what happened, why, and what is known of the login since. No token ever stands in it. */
export type News = readonly [what: "onSignIn" | "onRefresh" | "onSignOut", reason: string | undefined, known: object];

/** How long the lock is kept after the news went out, so that whoever gets it next has heard them. */
const HOLD_MS = 100;
/** Longer than a refresh can take: then the tab that has the lock is asleep. */
const WAIT_MS = 15_000;

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** To the other tabs of this origin. Nothing where there is none, or where a page that may store nothing gets none. */
export function openChannel(name: string, hear: (news: News) => void): BroadcastChannel | undefined {
  try {
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }) => hear(data);
    // Outside of browsers an open channel would keep the process alive.
    (channel as { unref?: () => void }).unref?.();
    return channel;
  } catch {
    return undefined;
  }
}

/** Runs something while no other tab runs it. Without Web Locks it just runs: the server's `grace` bears that. */
export function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const run = (): Promise<void> =>
      work()
        .then(resolve, reject)
        .then(() => sleep(HOLD_MS));
    Promise.resolve()
      .then(() => navigator.locks.request(name, { signal: AbortSignal.timeout(WAIT_MS) }, run))
      .catch(run);
  });
}
