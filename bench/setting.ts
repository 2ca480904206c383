import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Where and of what the figures were taken. */
export interface Setting {
  readonly command: string;
  readonly machine: string;
  readonly node: string;
  readonly openssl: string;
  readonly date: string;
  readonly peers: Readonly<Record<string, string>>;
}

const PEERS = [
  "fast-jwt",
  "jose",
  "jsonwebtoken",
  "express",
  "express-jwt",
  "passport-jwt",
  "fastify",
  "@fastify/jwt",
  "hono",
  "koa",
  "koa-jwt",
];

const version = (name: string): string =>
  (JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")) as { version: string }).version;

/** This machine, and the versions in use. */
export function describeSetting(args: readonly string[]): Setting {
  return {
    command: ["npm run bench --", ...args].join(" ").replace(/ --$/, ""),
    machine: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores`,
    node: process.version.slice(1),
    openssl: process.versions.openssl,
    date: new Date().toISOString().slice(0, 10),
    peers: Object.fromEntries(PEERS.map((name) => [name, version(name)])),
  };
}

/** The setting in words, a line each. */
export function settingLines({ command, machine, node, openssl, date, peers }: Setting): string[] {
  const versions = Object.entries(peers).map(([name, number]) => `${name} ${number}`);
  return [`${command}`, `${machine}; Node ${node}, OpenSSL ${openssl}; ${date}`, versions.join(", ")];
}
