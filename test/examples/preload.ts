/**
 * Loaded into the process of an example before it: gives every server a free port of the loopback and tells which, and
 * lets the test set the clock forward.
 */
import { type AddressInfo, Server } from "node:net";

/** What the test tells the example. */
export interface Later {
  readonly seconds: number;
}

/** What the example tells the test. */
export type Notice = { readonly port: number } | { readonly now: number };

const { listen } = Server.prototype;
Server.prototype.listen = function (this: Server, ...args: unknown[]): Server {
  this.once("listening", () => process.send?.({ port: (this.address() as AddressInfo).port } satisfies Notice));
  const whenReady = args.filter((arg) => typeof arg === "function") as [() => void];
  return listen.call(this, { port: 0, host: "127.0.0.1" }, ...whenReady);
} as typeof listen;

const real = Date.now;
let ahead = 0;
Date.now = () => real() + ahead;
process.on("message", ({ seconds }: Later) => {
  ahead += seconds * 1000;
  process.send?.({ now: Date.now() } satisfies Notice);
});
process.channel?.unref();
