import fc from "fast-check";
import { ConfigError, type JwtRequest } from "jwt-extended";
import { clientAddresses } from "jwt-extended/accounts";
import { describe, expect, it } from "vitest";
import { networkOf } from "../../src/accounts/address.ts";

const request = (address: string | undefined, ...forwarded: string[]): JwtRequest => ({
  method: "POST",
  url: "/login",
  address,
  header: (name) => (name === "x-forwarded-for" ? forwarded : []),
  body: async () => ({ kind: "none", why: "absent" }),
});

describe("the address of a client", () => {
  it("is that of the connection, whatever the client writes", () => {
    const of = clientAddresses();
    expect(of(request("192.0.2.1", "198.51.100.1"))).toBe("192.0.2.1");
    expect(of(request("::ffff:192.0.2.1"))).toBe("192.0.2.1");
    expect(of(request("::FFFF:C000:0201"))).toBe("192.0.2.1");
    expect(of(request("fe80::1%eth0"))).toBe("fe80:0:0:0:0:0:0:1");
    expect([of(request(undefined, "198.51.100.1")), of(request("somewhere"))]).toEqual([undefined, undefined]);
  });

  it("is the last one that no proxy of ours has, behind proxies", () => {
    const of = clientAddresses(["10.0.0.0/8", "2001:db8:aa::/48", "127.0.0.1"]);
    expect(of(request("10.1.2.3", "198.51.100.1"))).toBe("198.51.100.1");
    expect(of(request("10.1.2.3", "203.0.113.9, 198.51.100.1, 10.9.9.9"))).toBe("198.51.100.1");
    expect(of(request("::ffff:10.1.2.3", "203.0.113.9", "198.51.100.1"))).toBe("198.51.100.1");
    expect(of(request("2001:db8:aa:1::5", "198.51.100.1:4711"))).toBe("198.51.100.1");
    expect(of(request("127.0.0.1", "[2001:DB8::0001]:443"))).toBe("2001:db8:0:0:0:0:0:1");
    // Not from a proxy: not believed.
    expect(of(request("192.0.2.7", "198.51.100.1"))).toBe("192.0.2.7");
    // What a proxy cannot have written ends the search.
    expect(of(request("10.1.2.3", "198.51.100.1, unknown, 10.9.9.9"))).toBe("10.9.9.9");
    expect(of(request("10.1.2.3"))).toBe("10.1.2.3");
    expect(of(request("10.1.2.3", `198.51.100.1,${" 10.0.0.1,".repeat(40)} 10.0.0.2`))).toBe("10.0.0.1");
  });

  it("is the same network however it is spelled", () => {
    const of = clientAddresses(["127.0.0.1"]);
    const network = (text: string): string | undefined => {
      const address = of(request("127.0.0.1", text));
      return address && networkOf(address);
    };
    const spelled = [
      "2001:db8:1:2::1",
      "2001:0DB8:0001:0002:ffff:ffff:ffff:ffff",
      "[2001:db8:1:2::9]:80",
      "2001:db8:1:2:0:0:192.0.2.1",
    ];
    expect(new Set(spelled.map(network))).toEqual(new Set(["2001:db8:1:2::/64"]));
    expect(network("2001:db8:1:3::1")).not.toBe(network("2001:db8:1:2::1"));
    expect([network("::ffff:192.0.2.1"), network("192.0.2.1"), network("192.0.2.1:99")]).toEqual(
      new Array(3).fill("192.0.2.1"),
    );
    fc.assert(
      fc.property(fc.ipV6(), fc.ipV4(), (six, four) => {
        expect(network(six)).toMatch(/^([\da-f]{1,4}:){4}:\/64$|^(\d{1,3}\.){3}\d{1,3}$/);
        expect(network(six.toUpperCase())).toBe(network(six));
        expect(network(`[${six}]:1`)).toBe(network(six));
        expect(network(`::ffff:${four}`)).toBe(four);
      }),
    );
  });

  it("is not read with proxies that are none", () => {
    for (const proxy of ["", "10.0.0.0/33", "::/129", "10.0.0", "proxy.example", "10.0.0.0/8/8", "10.0.0.0/-1", "*"]) {
      expect(() => clientAddresses([proxy])).toThrow(ConfigError);
    }
  });
});
