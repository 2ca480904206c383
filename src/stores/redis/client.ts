/** A client, a pool or a leased connection of `redis` (node-redis). */
export interface NodeRedisClient {
  sendCommand(args: string[]): Promise<unknown>;
  /** Of a pool: lends one connection. */
  execute?: unknown;
}

/** A cluster client of `redis` (node-redis). */
export interface NodeRedisCluster {
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
  nodeClient(node: never): unknown;
  readonly slots: readonly unknown[];
}

/** A Sentinel client of `redis` (node-redis). */
export interface NodeRedisSentinel {
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
  getSentinelNode: unknown;
  use: unknown;
}

/** A client or a cluster client of `ioredis` or `iovalkey`. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
  pipeline(commands: unknown[][]): { exec(): Promise<[error: Error | null, result: unknown][] | null> };
  readonly isCluster: boolean;
  /** Its connection. A cluster client has several. */
  readonly stream?: { cork(): void; uncork(): void } | undefined;
}

/** Any client that the store can speak through. It stays the application's: the store neither opens nor closes it. */
export type RedisClient = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel | IoredisClient;

/** One way to speak to Redis, whatever the client. */
export interface Connection {
  readonly cluster: boolean;
  /** Sends a command to the node of a key. */
  send(key: string, command: readonly string[]): Promise<unknown>;
  /** Sends commands to the node of a key, in this order, on one connection. An error of one is its answer. */
  batch(key: string, commands: readonly (readonly string[])[]): Promise<readonly unknown[]>;
}

type Plain = { sendCommand(args: readonly string[]): Promise<unknown> };
type Leased = { sendCommand(isReadonly: boolean, args: readonly string[]): Promise<unknown> };
type Shards = {
  sendCommand(key: string, isReadonly: boolean, args: readonly string[]): Promise<unknown>;
  nodeClient(node: unknown): Plain | Promise<Plain>;
  slots: readonly ({ master: unknown } | undefined)[];
};

/** Sends all before the first answer is waited for: a client that reconnects between them keeps their order. */
const together = (commands: readonly (readonly string[])[], send: (command: readonly string[]) => Promise<unknown>) =>
  Promise.all(commands.map((command) => send(command).catch((error: unknown) => error)));

/** Tells the clients apart by their functions; none is imported. `undefined` for anything else. */
export function connect(client: RedisClient): Connection | undefined {
  const has = (name: string): boolean =>
    typeof client === "object" &&
    client !== null &&
    typeof (client as unknown as Record<string, unknown>)[name] === "function";
  if (has("call") && has("pipeline")) return ofIoredis(client as IoredisClient);
  if (!has("sendCommand")) return undefined;
  if (has("nodeClient")) return ofShards(client as unknown as Shards);
  if (has("getSentinelNode")) {
    const leasing = client as unknown as Leased & { use<T>(run: (leased: Leased) => Promise<T>): Promise<T> };
    return {
      cluster: false,
      send: (_key, command) => leasing.sendCommand(false, command),
      batch: (_key, commands) =>
        leasing.use((leased) => together(commands, (command) => leased.sendCommand(false, command))),
    };
  }
  const plain = client as unknown as Plain & { execute<T>(run: (leased: Plain) => Promise<T>): Promise<T> };
  const all = (one: Plain, commands: readonly (readonly string[])[]) =>
    together(commands, (command) => one.sendCommand(command));
  return {
    cluster: false,
    send: (_key, command) => plain.sendCommand(command),
    batch: (_key, commands) =>
      has("execute") ? plain.execute((leased) => all(leased, commands)) : all(plain, commands),
  };
}

function ofIoredis(client: IoredisClient): Connection {
  let held: IoredisClient["stream"];
  /** Writes what is sent in one turn of the event loop at once: a write costs more than all else of a command. */
  const hold = (): void => {
    if (held || !client.stream) return;
    held = client.stream;
    held.cork();
    process.nextTick(() => {
      held?.uncork();
      held = undefined;
    });
  };
  return {
    cluster: client.isCluster,
    send(_key, [name, ...args]) {
      hold();
      return client.call(name as string, ...args);
    },
    // A pipeline goes to one node as a whole, in a cluster to that of the keys in it.
    async batch(key, commands) {
      const line = commands.map(([name, ...args]) => [String(name).toLowerCase(), ...args]);
      const answers = (await client.pipeline([["exists", key], ...line]).exec()) ?? [];
      return answers.slice(1).map(([error, result]) => error ?? result);
    },
  };
}

function ofShards(client: Shards): Connection {
  return {
    cluster: true,
    send: (key, command) => client.sendCommand(key, false, command),
    async batch(key, commands) {
      // Commands without a key would go to any node, or to all.
      const node = await client.nodeClient(client.slots[slotOf(key)]?.master);
      return together(commands, (command) => node.sendCommand(command));
    },
  };
}

/** The slot of a key with a hash tag: CRC-16/XMODEM of the tag, as the specification of Redis Cluster has it. */
export function slotOf(key: string): number {
  let crc = 0;
  for (const byte of Buffer.from(/\{([^}]+)\}/.exec(key)?.[1] ?? key)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc % 16_384;
}

/** The text of an answer: clients can be set to answer bytes. */
export const text = (answer: unknown): string =>
  answer instanceof Uint8Array ? Buffer.from(answer).toString() : String(answer);
