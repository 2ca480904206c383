import { lookup } from "node:dns/promises";
import { BlockList } from "node:net";

/** What the operator must mend before the server can start. Its message is all that is printed. */
export class CannotStart extends Error {}

/** What the environment says. */
export interface Settings {
  /** The address to listen on, resolved: names are looked up once, so that nothing else can be meant later. */
  readonly address: string;
  /** Whether only programs on this machine can reach that address. */
  readonly loopback: boolean;
  readonly port: number;
  readonly databaseFile: string;
  readonly production: boolean;
  readonly secretKey: string | undefined;
  /** Who becomes the first administrator. */
  readonly administrator: { readonly username: string; readonly password: string } | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads HOST, PORT, DATABASE_FILE, NODE_ENV, JWT_SECRET_KEY, ADMIN_USERNAME and ADMIN_PASSWORD.
 * @throws CannotStart for values that make no sense.
 */
export async function readSettings(env: Environment): Promise<Settings> {
  const address = await resolve(env.HOST || "127.0.0.1");
  return {
    address,
    loopback: isLoopback(address),
    port: portOf(env.PORT || "5000"),
    databaseFile: env.DATABASE_FILE || "data/auth.db",
    production: env.NODE_ENV === "production",
    secretKey: env.JWT_SECRET_KEY,
    administrator: administratorOf(env.ADMIN_USERNAME, env.ADMIN_PASSWORD),
  };
}

/** `http://…` as a client on this machine would write it. */
export function urlOf(address: string, port: number): string {
  const reachable = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

async function resolve(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch {
    throw new CannotStart("HOST is no address of this machine: leave it out for 127.0.0.1.");
  }
}

function isLoopback(address: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8);
  loopback.addAddress("::1", "ipv6");
  return loopback.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new CannotStart("PORT must be a whole number from 0 to 65535.");
}

function administratorOf(username: string | undefined, password: string | undefined): Settings["administrator"] {
  if (!username && !password) return undefined;
  if (username && password) return { username, password };
  throw new CannotStart("ADMIN_USERNAME and ADMIN_PASSWORD only work together: set both or none.");
}
