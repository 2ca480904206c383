import type { Emitter } from "./events.ts";
import type { TokenStore } from "./stores/contract.ts";
import { isReplica, type ReplicaStatus } from "./stores/replica/replica.ts";

/** What is counted of a manager since it was made. */
export interface ManagerStats {
  /** Requests that were refused, by the code of the refusal. */
  readonly denied: Readonly<Record<string, number>>;
  /** Calls of the store that had to wait: how many, how many of them failed, and for how long in milliseconds. */
  readonly store: {
    readonly calls: number;
    readonly failed: number;
    readonly totalMs: number;
    readonly maxMs: number;
  };
  /** What a replica holds, where the store is one. */
  readonly replica: ReplicaStatus | undefined;
}

/** Counts what a manager tells. */
export function createStats(events: Emitter, store: TokenStore | null): () => ManagerStats {
  const denied = new Map<string, number>();
  const calls = { calls: 0, failed: 0, totalMs: 0, maxMs: 0 };
  events.on("denied", ({ code }) => void denied.set(code, (denied.get(code) ?? 0) + 1));
  events.on("storeCalled", ({ milliseconds, ok }) => {
    calls.calls++;
    if (!ok) calls.failed++;
    calls.totalMs += milliseconds;
    calls.maxMs = Math.max(calls.maxMs, milliseconds);
  });
  return () => ({
    denied: Object.fromEntries(denied),
    store: { ...calls },
    replica: store && isReplica(store) ? store.status() : undefined,
  });
}

type Attributes = Readonly<Record<string, string | boolean>>;
type Describe = { readonly description: string; readonly unit: string };
type Observe = (result: { observe(value: number): void }) => void;

/** What is needed of a `Meter` of `@opentelemetry/api`. */
export interface Meter {
  createCounter(name: string, options: Describe): { add(value: number, attributes: Attributes): void };
  createHistogram(name: string, options: Describe): { record(value: number, attributes: Attributes): void };
  createObservableGauge(
    name: string,
    options: Describe,
  ): { addCallback(observe: Observe): void; removeCallback(observe: Observe): void };
}

/**
 * Tells a meter of OpenTelemetry what happens: `jwt_extended.denied` (by `code`), `jwt_extended.store.duration` (by `call`
 * and `ok`), and of a replica its `entries`, `size` and `staleness`. Answers the function that ends it.
 *
 * @example
 * import { metrics } from "@opentelemetry/api";
 * instrument(jwt, metrics.getMeter("jwt-extended"));
 */
export function instrument(manager: { on: Emitter["on"]; stats(): ManagerStats }, meter: Meter): () => void {
  const denied = meter.createCounter("jwt_extended.denied", { description: "Refused requests", unit: "{request}" });
  const duration = meter.createHistogram("jwt_extended.store.duration", {
    description: "How long calls of the store took",
    unit: "s",
  });
  const ends = [
    manager.on("denied", ({ code }) => denied.add(1, { code })),
    manager.on("storeCalled", ({ call, milliseconds, ok }) => duration.record(milliseconds / 1000, { call, ok })),
  ];
  function gauge(name: string, description: string, unit: string, read: (status: ReplicaStatus) => number): void {
    const made = meter.createObservableGauge(`jwt_extended.replica.${name}`, { description, unit });
    const observe: Observe = (result) => {
      const { replica } = manager.stats();
      // A copy that was never filled is infinitely old, which no meter takes.
      if (replica && Number.isFinite(read(replica))) result.observe(read(replica));
    };
    made.addCallback(observe);
    ends.push(() => made.removeCallback(observe));
  }
  gauge("entries", "Revocations held in this process", "{entry}", ({ entries }) => entries);
  gauge("size", "Bytes that they take", "By", ({ bytes }) => bytes);
  gauge("staleness", "How far the copy may be behind the store", "s", ({ stalenessMs }) => stalenessMs / 1000);
  return () => {
    for (const end of ends) end();
  };
}
