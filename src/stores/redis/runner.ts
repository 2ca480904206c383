import { randomBytes } from "node:crypto";
import { ConfigError, StoreUnavailableError } from "../../errors.ts";
import { type Connection, text } from "./client.ts";
import { partitionKey } from "./keys.ts";
import type { Script } from "./lua.ts";
import { ADOPT } from "./revocation-scripts.ts";
import { numberText } from "./rows.ts";

/** Runs scripts in partitions, and keeps up with the generation of each. */
export interface Runner {
  /** `durable` waits until the replicas asked for hold what was written. */
  run(partition: number, script: Script, args: readonly string[], durable?: boolean): Promise<unknown>;
}

/** How the parts of a store call Redis. */
export interface Calls extends Runner {
  readonly partitions: number;
  /** For each partition: where its changes are announced. */
  readonly channels: readonly string[];
  everywhere<T>(visit: (partition: number) => Promise<T>): Promise<T[]>;
}

/** What a runner needs. */
export interface RunnerSettings {
  readonly connection: Connection;
  /** Over which writes wait for replicas. */
  readonly durable: Connection;
  readonly prefix: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly clock: (() => number) | undefined;
  /** The highest limits that this process knows, in seconds: a store that has forgotten them is told. */
  readonly limits: () => { readonly access: number; readonly refresh: number };
  readonly onForgotten: (partition: number) => void;
}

/** Milliseconds that Redis may take to hear from its replicas. */
const WAIT_FOR = "500";
const ATTEMPTS = 5;
const FORMER = 16;

const startsWith = (error: unknown, code: string): boolean => error instanceof Error && error.message.startsWith(code);

/** Whether a script says that the store has another generation. */
const isStale = (answer: unknown): boolean =>
  (typeof answer === "string" || answer instanceof Uint8Array) && text(answer) === "stale";

/** Makes the runner of a store. It sends nothing yet. */
export function createRunner(settings: RunnerSettings): Runner {
  const { connection, durable, partitions, replicas, clock } = settings;
  const homes = Array.from({ length: partitions }, (_, partition) => partitionKey(settings.prefix, partition, "meta"));
  const generations: string[] = homes.map(() => "");
  /** Those before, the last ones of them. */
  const former: string[][] = homes.map(() => []);
  const adopting: (Promise<void> | undefined)[] = homes.map(() => undefined);
  const named = homes.map(() => new Map<Script, readonly string[]>());
  const time = (): string => (clock ? String(Math.floor(clock())) : "");

  /** The number of its keys and the keys: a command says them again each time. */
  const keysOf = (partition: number, script: Script): readonly string[] => {
    const known = named[partition] as Map<Script, readonly string[]>;
    let keys = known.get(script);
    if (!keys) {
      keys = [String(script.keys.length), ...script.keys.map((key) => partitionKey(settings.prefix, partition, key))];
      known.set(script, keys);
    }
    return keys;
  };
  const whole = (partition: number, script: Script, args: readonly string[]): string[] => [
    "EVAL",
    script.source,
    ...keysOf(partition, script),
    ...args,
  ];

  async function evaluate(partition: number, script: Script, args: readonly string[]): Promise<unknown> {
    const home = homes[partition] as string;
    try {
      return await connection.send(home, ["EVALSHA", script.sha, ...keysOf(partition, script), ...args]);
    } catch (error) {
      if (!startsWith(error, "NOSCRIPT")) throw error;
      return connection.send(home, whole(partition, script, args));
    }
  }

  /**
   * WAIT counts the replicas that hold what its own connection wrote; on a fresh one it counts all. A client may
   * reconnect, perhaps to another primary, and send WAIT again there: so the connection must be the same before and after.
   * The script goes whole: to learn that it is unknown would take a WAIT.
   */
  async function evaluateDurably(partition: number, script: Script, args: readonly string[]): Promise<unknown> {
    const home = homes[partition] as string;
    for (let attempt = 0; ; attempt++) {
      const [before, answer, held, after] = await durable.batch(home, [
        ["CLIENT", "INFO"],
        whole(partition, script, args),
        ["WAIT", String(replicas), WAIT_FOR],
        ["CLIENT", "INFO"],
      ]);
      if (attempt === 0 && startsWith(answer, "MOVED")) {
        // A command by itself makes the client learn the slots anew.
        await durable.send(home, ["EXISTS", home]);
        continue;
      }
      if (answer instanceof Error) throw answer;
      if (isStale(answer)) return answer;
      const error = [before, held, after].find((one) => one instanceof Error);
      const same = !error && identity(before) === identity(after);
      if (same && Number(held) >= replicas) return answer;
      const detail = same
        ? `${text(held)} of ${replicas} replicas hold the change`
        : "the connection changed while replicas were asked for the change";
      throw new StoreUnavailableError("not_durable", { detail, cause: error });
    }
  }

  async function adopt(partition: number): Promise<void> {
    const { access, refresh } = settings.limits();
    const fresh = randomBytes(16).toString("base64url");
    const secret = randomBytes(32).toString("base64url");
    const args = [fresh, String(partitions), numberText(access), numberText(refresh), secret];
    const remembered = generations[partition] as string;
    const earlier = former[partition] as string[];
    args.push(...earlier);
    const [state, value] = ((await evaluate(partition, ADOPT, [remembered, time(), ...args])) as unknown[]).map(text);
    if (state === "partitions") {
      throw new ConfigError([
        `store: this Redis was set up with partitions: ${value}, not ${partitions}. Give the same number everywhere, or another prefix, with which everybody must log in again.`,
      ]);
    }
    generations[partition] = value as string;
    if (remembered !== "" && remembered !== value) former[partition] = [...earlier, remembered].slice(-FORMER);
    if (state === "forgot") settings.onForgotten(partition);
  }

  return {
    async run(partition, script, args, waits = false) {
      const go = waits && replicas > 0 ? evaluateDurably : evaluate;
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const generation = generations[partition] as string;
        if (generation !== "") {
          const answer = await go(partition, script, [generation, time(), ...args]);
          if (!isStale(answer)) return answer;
        }
        if (generations[partition] !== generation) continue;
        adopting[partition] ??= adopt(partition).finally(() => {
          adopting[partition] = undefined;
        });
        await adopting[partition];
      }
      throw new StoreUnavailableError("store_unavailable", { detail: "the generation of the store keeps changing" });
    },
  };
}

/** What tells connections apart, also those to different servers, in the answer of `CLIENT INFO`. */
const identity = (info: unknown): string => (text(info).match(/\b(id|l?addr)=\S*/g) ?? []).join(" ");
