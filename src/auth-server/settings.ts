import { lookup } from "node:dns/promises";
import { BlockList } from "node:net";
import { clientAddresses } from "../accounts/address.ts";
import { createPasswords } from "../accounts/passwords.ts";
import { newUser } from "../accounts/register.ts";
import { AccountError, isJwtError } from "../errors.ts";
import type { DatabasePlace } from "./database-place.ts";
import type { Environment } from "./environment.ts";

/** What the environment says, but for the `JWT_…` variables. */
export interface Settings {
  /** The address to listen on, resolved: names are looked up once, so that nothing else can be meant later. */
  readonly address: string;
  readonly port: number;
  /** Whether only programs on this machine can reach that address. */
  readonly loopback: boolean;
  readonly production: boolean;
  readonly publicOrigin: string | undefined;
  /** Whether browsers come over plain http, on this machine alone: then cookies need not be `Secure`. */
  readonly plainHttp: boolean;
  readonly trustedProxies: readonly string[];
  readonly database: DatabasePlace;
  readonly redisUrl: string | undefined;
  /** Who becomes the first administrator, while there is none. */
  readonly administrator: { readonly username: string; readonly password: string } | undefined;
  readonly logLevel: string;
  /** `undefined`: JSON in production, unless there is a terminal; text elsewhere. */
  readonly logFormat: "text" | "json" | undefined;
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
const HTTPS = "an origin such as https://auth.example.com, without a path";

/** Reads what has nothing to do with tokens. What makes no sense is told in `faults`, with what mends it. */
export async function readSettings(env: Environment, faults: string[]): Promise<Settings> {
  const address = await resolve(env.HOST || "127.0.0.1", faults);
  const loopback = isLoopback(address);
  const publicOrigin = originOf(env.PUBLIC_ORIGIN, faults);
  const production = env.NODE_ENV === "production";
  const isLocal =
    publicOrigin === undefined || /^http:\/\/(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(publicOrigin);
  return {
    address,
    port: portOf(env.PORT || "5000", faults),
    loopback,
    production,
    publicOrigin,
    plainHttp: loopback && isLocal && !production,
    trustedProxies: proxiesOf(env.TRUSTED_PROXIES, faults),
    database: databaseOf(env.DATABASE_URL, env.DATABASE_FILE, faults),
    redisUrl: redisOf(env.REDIS_URL, faults),
    administrator: administratorOf(env.ADMIN_USERNAME, env.ADMIN_PASSWORD, faults),
    logLevel: oneOf("LOG_LEVEL", env.LOG_LEVEL || "info", LEVELS, faults) ?? "info",
    logFormat: oneOf("LOG_FORMAT", env.LOG_FORMAT, ["text", "json"], faults) as Settings["logFormat"],
  };
}

/** `http://…` as a client on this machine would write it. */
export function urlOf(address: string, port: number): string {
  const reachable = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

async function resolve(host: string, faults: string[]): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch {
    faults.push("HOST is no address of this machine: leave it out for 127.0.0.1.");
    return "127.0.0.1";
  }
}

function isLoopback(address: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8);
  loopback.addAddress("::1", "ipv6");
  return loopback.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

function portOf(text: string, faults: string[]): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  faults.push("PORT must be a whole number from 0 to 65535.");
  return 0;
}

function originOf(text: string | undefined, faults: string[]): string | undefined {
  if (!text) return undefined;
  if (/^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text) return text;
  faults.push(`PUBLIC_ORIGIN must be ${HTTPS}.`);
  return undefined;
}

function proxiesOf(text: string | undefined, faults: string[]): readonly string[] {
  const proxies = (text ?? "").split(",").flatMap((part) => part.trim() || []);
  try {
    clientAddresses(proxies);
  } catch {
    faults.push("TRUSTED_PROXIES must hold addresses and networks with commas between, such as 10.0.0.0/8,127.0.0.1.");
  }
  return proxies;
}

function databaseOf(url: string | undefined, file: string | undefined, faults: string[]): DatabasePlace {
  if (url && file) faults.push("DATABASE_URL and DATABASE_FILE are both set: keep one of them.");
  if (!url) return { kind: "sqlite", file: file || "data/auth.db" };
  const [, scheme] = /^(postgres|mysql|mariadb)(?:(?<=postgres)ql)?:\/\//.exec(url) ?? [];
  if (scheme !== undefined && URL.canParse(url)) return { kind: scheme === "postgres" ? "postgres" : "mysql", url };
  const [, path] = /^file:(?:\/\/(?=\/))?([^?#]+)$/.exec(url) ?? [];
  if (path !== undefined) return { kind: "sqlite", file: path };
  faults.push("DATABASE_URL must begin with postgres://, mysql:// or file:, such as file:data/auth.db.");
  return { kind: "sqlite", file: "" };
}

function redisOf(url: string | undefined, faults: string[]): string | undefined {
  if (!url) return undefined;
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) faults.push("REDIS_URL must begin with redis:// or rediss://.");
  return url;
}

/** Held to the rules of a registration, also where there is an administrator already: one day there may be none. */
function administratorOf(
  username: string | undefined,
  password: string | undefined,
  faults: string[],
): Settings["administrator"] {
  if (!username && !password) return undefined;
  if (!username || !password) {
    faults.push("ADMIN_USERNAME and ADMIN_PASSWORD only work together: set both or none.");
    return undefined;
  }
  try {
    newUser({ username, password, roles: [] }, undefined, createPasswords({}), 0);
  } catch (error) {
    if (!isJwtError(error)) throw error;
    const isName = error instanceof AccountError && error.fields?.includes("username");
    faults.push(`${isName ? "ADMIN_USERNAME" : "ADMIN_PASSWORD"} cannot be used: ${error.message}.`);
  }
  return { username, password };
}

function oneOf(name: string, text: string | undefined, words: readonly string[], faults: string[]): string | undefined {
  if (!text || words.includes(text)) return text || undefined;
  faults.push(`${name} must be one of ${words.join(", ")}.`);
  return undefined;
}
