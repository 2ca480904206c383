import fc from "fast-check";
import { canonicalName, type NameRule } from "jwt-extended/accounts";
import { describe, expect, it } from "vitest";
import { brief, PASSWORD, startAccounts } from "./server.ts";

const ascii = (name: string): string | undefined => canonicalName(name);
const unicode = (name: string): string | undefined => canonicalName(name, "unicode");
const email = (name: string): string | undefined => canonicalName(name, "email");

describe("user names", () => {
  it("have one form, whatever the case", () => {
    for (const name of ["admin", "ADMIN", "Admin"]) expect(ascii(name)).toBe("admin");
    expect(ascii("a.b_c-9")).toBe("a.b_c-9");
  });

  it("are ASCII words, unless the application says otherwise", () => {
    const odd = [
      "admin ",
      " admin",
      "\u0430dmin",
      "\uff41dmin",
      "a\u200bdmin",
      "\u212aelvin",
      "adm\u0131n",
      "ad\0min",
      "ad\nmin",
      "ad\r\nmin",
    ];
    for (const name of [
      ...odd,
      "ab",
      "a".repeat(33),
      "x".repeat(10_000),
      "",
      "a/b",
      "a'b",
      "a b",
      "__proto__!",
      "né",
      "a@b.de",
    ]) {
      expect([name, ascii(name)]).toEqual([name, undefined]);
    }
  });

  it("may be addresses, of which no part is read", () => {
    expect(email("Ada.Lovelace+x@Example.COM")).toBe("ada.lovelace+x@example.com");
    const odd = [
      "ada",
      "ada@",
      "@example.com",
      "ada@example",
      "a da@example.com",
      "ada@exam ple.com",
      "ada@-x.com",
      "ada@x-.com",
      "a@b@c.de",
      "\u0430da@example.com",
      "ada@ex\u00e4mple.com",
      `${"a".repeat(65)}@example.com`,
      `a@${"b".repeat(250)}.com`,
      "ada@example.com\n",
    ];
    for (const name of odd) expect([name, email(name)]).toEqual([name, undefined]);
  });

  it("may be of any one script, folded until nothing is left to fold", () => {
    const same = [
      ["admin", "ADMIN", "\uff41dmin", "\u{1d41a}dmin", "adm\u0131n", "ADM\u0131N"],
      ["kelvin", "\u212aelvin", "KELVIN"],
      ["strasse", "straße", "STRASSE", "\u017ftrasse"],
      ["café", "cafe\u0301", "CAFÉ"],
      ["σοφός".toUpperCase().toLowerCase(), "ΣΟΦΌΣ"],
    ];
    for (const [first, ...others] of same) {
      expect(unicode(first as string)).toBeDefined();
      for (const other of others) expect([other, unicode(other)]).toEqual([other, unicode(first as string)]);
    }
    for (const name of ["анна", "שלום", "मोहन", "田中さん", "김철수", "Łukasz"])
      expect([name, unicode(name) !== undefined]).toEqual([name, true]);
    const mixed = ["\u0430dmin", "admіn", "pаypal", "αdmin", "anna\u05d0"];
    const invisible = [
      "a\u200bdmin",
      "ad\u200dmin",
      "ad\u00admin",
      "admin\ufe0f",
      "ad\u034fmin",
      "\u202eadmin",
      "ad\u3164min",
      "ad\0min",
      "ad\nmin",
    ];
    for (const name of [
      ...mixed,
      ...invisible,
      "i\u0307stanbul",
      "\u0130stanbul",
      "ad min",
      "ab",
      "x".repeat(10_000),
      "\ufdfa".repeat(40),
      "\ud800abc",
      "😀😀😀",
    ]) {
      expect([name, unicode(name)]).toEqual([name, undefined]);
    }
  });

  it("stay as they are once they are canonical, and hold nothing that a log line or a query would mind", () => {
    const rules: readonly NameRule[] = ["ascii", "email", "unicode"];
    const letters = fc.string({ unit: fc.constantFrom(..."aAıİſßKσςΣéе\u0301\u200b.-_@9".split("")), maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), letters), fc.constantFrom(...rules), (given, rule) => {
        const name = canonicalName(given, rule);
        if (name === undefined) return;
        expect(canonicalName(name, rule)).toBe(name);
        expect(canonicalName(given.toUpperCase(), rule) ?? name).toBe(name);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        expect(name).not.toMatch(/[\u0000-\u0020\u007f-\u00a0"\\;()<>]|\p{Cf}/u);
      }),
      { numRuns: 5_000 },
    );
  });

  it("cannot be taken twice by writing them another way", async () => {
    const server = await startAccounts({ accounts: { names: "unicode" } });
    const ask = (username: string) => server.post("/register", { username, password: PASSWORD }).then(brief);
    expect(await ask("kelvin")).toBe("201 ok");
    for (const name of ["KELVIN", "\u212aelvin", "ｋelvin"])
      expect([name, await ask(name)]).toEqual([name, "409 username_taken"]);
    expect(await ask("k\u0435lvin")).toBe("400 username_invalid");
    expect(brief(await server.login("\u212aELVIN"))).toBe("201 ok");
    await server.close();
  });

  it("can be judged by the application", async () => {
    const server = await startAccounts({
      accounts: { names: (given) => (given.startsWith("emp-") ? given.toLowerCase() : undefined) },
    });
    expect(brief(await server.post("/register", { username: "emp-7", password: PASSWORD }))).toBe("201 ok");
    expect(brief(await server.post("/register", { username: "seven", password: PASSWORD }))).toBe(
      "400 username_invalid",
    );
    await server.close();
  });
});
