import { ConfigError } from "../../errors.ts";
import type { RevocationFeed } from "../contract.ts";
import type { RedisClient } from "./client.ts";

/** What clients have to hear messages: ioredis by an event, node-redis by a listener. */
interface Listening {
  call?: unknown;
  isCluster?: boolean;
  isOpen?: boolean;
  subscribe?(...args: unknown[]): Promise<unknown>;
  unsubscribe(...args: unknown[]): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  duplicate?(options?: unknown): Listening;
  connect(): Promise<unknown>;
  disconnect(): unknown;
  destroy?(): unknown;
}

/** Milliseconds between attempts to listen. Until one succeeds, changes are only learned later. */
const RETRY = 1000;
const nothing = (): void => {};

/**
 * Makes `watch`: hears the messages that scripts send with each change, over one connection for all who watch, while there
 * is anybody. That of `own`, where the application gives it; clients of a cluster and of Sentinel have one themselves; else
 * a copy of the client is opened. `undefined` for clients that can do none of it.
 *
 * @throws ConfigError where `own` cannot listen
 */
export function createWatch(
  client: RedisClient,
  own: RedisClient | undefined,
  channels: readonly string[],
): RevocationFeed["watch"] {
  const listening = (own ?? client) as unknown as Listening;
  // In a connection that listens no other command can be sent, so that of a single client must not be used.
  const isCopied = own === undefined && (listening.call ? !listening.isCluster : !isSeveral(listening));
  if (!listening.subscribe && own !== undefined) {
    throw new ConfigError([
      "store: feedClient must be a client of redis (node-redis), ioredis or iovalkey, and no pool.",
    ]);
  }
  if (!listening.subscribe || (isCopied && !listening.duplicate)) return undefined;
  const watchers = new Set<(channel: string) => void>();
  let stop: (() => void) | undefined;
  return (changed) => {
    const watcher = (channel: string): void => {
      const partition = channels.indexOf(channel);
      if (partition >= 0) changed(partition);
    };
    watchers.add(watcher);
    stop ??= listen(listening, isCopied, channels, (channel) => {
      for (const each of [...watchers]) each(channel);
    });
    return () => {
      if (!watchers.delete(watcher) || watchers.size > 0) return;
      stop?.();
      stop = undefined;
    };
  };
}

/** Whether a client of node-redis is one for a cluster or for Sentinel. */
const isSeveral = (client: object): boolean => "nodeClient" in client || "getSentinelNode" in client;

/** Listens until the function that it answers is called, or until the client that was copied is closed. */
function listen(
  client: Listening,
  isCopied: boolean,
  channels: readonly string[],
  heard: (channel: string) => void,
): () => void {
  const isEvent = client.call !== undefined;
  const onEvent = (channel: string): void => heard(channel);
  const onMessage = (_message: string, channel: string): void => heard(channel);
  const line = isCopied ? (client.duplicate?.({ lazyConnect: false }) as Listening) : client;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  if (isEvent) line.on("message", onEvent);

  async function begin(): Promise<void> {
    try {
      // ioredis connects by itself, and keeps what is asked for until it has.
      if (!isEvent && isCopied && !line.isOpen) await line.connect();
      if (!isOver) await (isEvent ? line.subscribe?.(...channels) : line.subscribe?.([...channels], onMessage));
    } catch {
      if (isOver) return;
      timer = setTimeout(begin, RETRY);
      timer.unref();
    }
  }
  function end(): void {
    isOver = true;
    clearTimeout(timer);
    client.off("end", end);
    if (isEvent) line.off("message", onEvent);
    if (isCopied) (line.destroy ?? line.disconnect).call(line);
    else (isEvent ? line.unsubscribe(...channels) : line.unsubscribe([...channels], onMessage)).catch(nothing);
  }
  if (isCopied) {
    line.on("error", nothing);
    client.on("end", end);
  }
  begin();
  return end;
}
