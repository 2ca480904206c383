import type { PostgresPool } from "./postgres-pool.ts";

/** Milliseconds before a lost connection is made again. */
const SOONEST = 100;
const LATEST = 10_000;
/** Milliseconds between looks whether the pool is still in use. */
const LOOK_EVERY = 1_000;

/**
 * Calls back when `channel` is notified. Over a connection outside the pool: the pool keeps all of its own, and can be
 * ended at any time. Poolers in transaction mode notify nobody.
 */
export function listen(pool: PostgresPool, channel: string, changed: () => void): () => void {
  let isOver = false;
  let wait = SOONEST;
  let close = (): void => {};

  function open(): void {
    if (isOver || pool.ending || !pool.Client) return;
    const client = new pool.Client(pool.options);
    let isLost = false;
    const lost = (): void => {
      if (isLost) return;
      isLost = true;
      client.end().catch(() => {});
      if (isOver) return;
      setTimeout(open, wait * (0.5 + Math.random() / 2)).unref();
      wait = Math.min(wait * 2, LATEST);
    };
    close = lost;
    client.on("error", lost);
    client.on("end", lost);
    client.on("notification", changed);
    client
      .connect()
      .then(() => {
        client.unref();
        return client.query(`listen ${channel}`);
      })
      .then(() => {
        wait = SOONEST;
        // Whatever came while nobody listened.
        changed();
      })
      .catch(lost);
  }

  const end = (): void => {
    isOver = true;
    clearInterval(timer);
    close();
  };
  const timer = setInterval(() => pool.ending && end(), LOOK_EVERY).unref();
  open();
  return end;
}
