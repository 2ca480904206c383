import { BlockList, isIP } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

/** Whether only programs of this machine reach an address; names below `localhost` never leave it (RFC 6761 §6.3). */
export function isLoopback({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  const version = isIP(host);
  return version === 0 ? /^(.+\.)?localhost$/.test(host) : LOOPBACK.check(host, version === 4 ? "ipv4" : "ipv6");
}

/** A URL of http or https, `undefined` for anything else. */
export function webAddress(text: string): URL | undefined {
  try {
    const url = new URL(text);
    return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" ? url : undefined;
  } catch {
    return undefined;
  }
}
