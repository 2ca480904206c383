import { BlockList, isIP, isIPv6 } from "node:net";
import { ConfigError } from "../errors.ts";
import type { JwtRequest } from "../http/types.ts";

/** The address of a client; `undefined` where it cannot be known. */
export type AddressOf = (request: JwtRequest) => string | undefined;

const MAX_HOPS = 32;

/**
 * Reads addresses of clients. Without proxies it is the one that is connected; behind proxies the last one in
 * `X-Forwarded-For` that is not a proxy itself. Whatever stands before it anybody may have written.
 * @param proxies addresses and networks such as `"10.0.0.0/8"`
 * @throws ConfigError for what is neither
 */
export function clientAddresses(proxies: readonly string[] = []): AddressOf {
  const trusted = new BlockList();
  const faults = proxies.filter((proxy) => !addTo(trusted, proxy));
  if (faults.length > 0) {
    throw new ConfigError(['trustedProxies must hold addresses and networks, such as "127.0.0.1" or "10.0.0.0/8".']);
  }
  const isProxy = (address: string): boolean => trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  return (request) => {
    let client = plainAddress(request.address);
    if (client === undefined || proxies.length === 0 || !isProxy(client)) return client;
    const hops = request.header("x-forwarded-for").join(",").split(",").slice(-MAX_HOPS);
    for (const hop of hops.reverse()) {
      const address = plainAddress(hop);
      // What is no address was not written by a proxy of ours.
      if (address === undefined) break;
      client = address;
      if (!isProxy(address)) break;
    }
    return client;
  };
}

function addTo(list: BlockList, proxy: string): boolean {
  const [network = "", bits, more] = String(proxy).split("/");
  const version = isIP(network);
  if (version === 0 || more !== undefined || (bits !== undefined && !/^\d{1,3}$/.test(bits))) return false;
  const most = version === 6 ? 128 : 32;
  if (Number(bits ?? most) > most) return false;
  list.addSubnet(network, Number(bits ?? most), version === 6 ? "ipv6" : "ipv4");
  return true;
}

/** An address without a port or a zone, an IPv4 one in IPv6's clothes as what it is; `undefined` for anything else. */
function plainAddress(given: string | undefined): string | undefined {
  let text = (given ?? "").trim();
  const port = /^\[([^\]]+)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(text);
  if (port) text = (port[1] ?? port[2]) as string;
  text = text.replace(/%.*$/, "");
  if (isIP(text) !== 6) return isIP(text) === 4 ? text : undefined;
  const groups = groupsOf(text);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join(".");
  }
  return groups.map((group) => group.toString(16)).join(":");
}

/** What one customer of a network holds: all of an IPv4 address, a /64 of IPv6. `address` as `clientAddresses` gives it. */
export function networkOf(address: string): string {
  return isIPv6(address)
    ? `${groupsOf(address)
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(":")}::/64`
    : address;
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): readonly number[] {
  const [head = "", tail] = address.split("::");
  const front = numbers(head);
  const back = numbers(tail ?? "");
  return [...front, ...new Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0), ...back];
}

function numbers(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
