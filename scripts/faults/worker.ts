// A child process: does what it is told over IPC, and catches itself between two steps when it was told to.
import { type Actor, localActor, type Step } from "./actor.ts";
import { createLoad, type Load } from "./load.ts";
import type { Place } from "./places.ts";

/** One order of the parent. */
export interface Order {
  readonly id: number;
  readonly name: "open" | "catch" | "load" | "stats" | "halt" | keyof Actor;
  readonly args: readonly unknown[];
}

let actor: Actor | undefined;
let load: Load | undefined;
let caught: { readonly step: Step; readonly signal: "SIGKILL" | "SIGSTOP" } | undefined;
let unhandled = 0;
process.on("unhandledRejection", () => {
  unhandled++;
});

const reach = (step: Step): void => {
  if (caught?.step !== step) return;
  const { signal } = caught;
  caught = undefined;
  process.kill(process.pid, signal);
};

async function obey({ name, args }: Order): Promise<unknown> {
  if (name === "open") {
    actor = localActor(args[0] as Place, reach);
    return undefined;
  }
  if (name === "catch") {
    caught = { step: args[0] as Step, signal: args[1] as "SIGKILL" | "SIGSTOP" };
    return undefined;
  }
  if (!actor) throw new Error("no store is open");
  if (name === "load") {
    load = createLoad(actor, args[0] as readonly string[], args[1] as readonly string[]);
    return undefined;
  }
  if (name === "stats") {
    globalThis.gc?.();
    return { ...load?.stats(args[0] === true), unhandled, heap: process.memoryUsage().heapUsed };
  }
  if (name === "halt") return load?.halt();
  return (actor[name] as (...given: readonly unknown[]) => Promise<unknown>)(...args);
}

process.on("message", (order: Order) => {
  obey(order).then(
    (value) => process.send?.({ id: order.id, value }),
    (error: unknown) => process.send?.({ id: order.id, error: String((error as Error)?.stack ?? error) }),
  );
});
process.once("disconnect", () => process.exit(0));
process.send?.({ id: 0 });
