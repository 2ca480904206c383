import { hash, parseOptions } from "@node-rs/argon2";
import fc from "fast-check";
import { OWASP_COST, sqliteAccounts } from "jwt-extended/accounts";
import Database from "libsql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isCommon, WORDS } from "../../src/accounts/common-passwords.ts";
import { createPasswords } from "../../src/accounts/passwords.ts";
import { brief, CHEAP, PASSWORD, type Running, startAccounts } from "./server.ts";

const cheap = createPasswords({ cost: CHEAP });
const code = (work: () => unknown): string => {
  try {
    work();
    return "fine";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe("passwords", () => {
  it("have 8 to 1024 bytes, of which none is trimmed or cut", () => {
    const good = (password: string): string =>
      code(() => cheap.assertGood(cheap.normalize(password, "password"), "ada", "password"));
    expect([good(""), good("1b%4x9q"), good("1b%4x9q?"), good("émé₤!x")]).toEqual([
      "password_too_short",
      "password_too_short",
      "fine",
      "fine",
    ]);
    for (const length of [64, 72, 73, 128, 1024]) expect([length, good("x".repeat(length))]).toEqual([length, "fine"]);
    const long = (length: number): string =>
      "correct horse battery staple "
        .repeat(40)
        .slice(0, length - 1)
        .concat("!");
    for (const length of [64, 72, 73, 128, 1024]) expect([length, good(long(length))]).toEqual([length, "fine"]);
    expect([good(long(1025)), good("x".repeat(1e6)), good("\ufdfa".repeat(100))]).toEqual([
      "password_too_long",
      "password_too_long",
      "password_too_long",
    ]);
    expect(cheap.normalize("  blanks stay  ", "password")).toBe("  blanks stay  ");
    expect(code(() => cheap.normalize("12345678\ud800", "password"))).toBe("password_malformed");
  });

  it("are the same for every way of writing them, and different for everything else", async () => {
    const check = async (one: string, other: string): Promise<boolean> =>
      cheap.verify(await cheap.hash(cheap.normalize(one, "password")), cheap.normalize(other, "password"));
    expect(await check("caf\u00e9 🔑 \ufb01sh", "cafe\u0301 🔑 fish")).toBe(true);
    expect(await check("\u212b ngstrom", "\u00c5 ngstrom")).toBe(true);
    expect(await check(`${"x".repeat(72)}a`, `${"x".repeat(72)}b`)).toBe(false);
    expect(await check("with a\0NUL", "with a\0nul")).toBe(false);
    expect(await check("with a\0NUL", "with a")).toBe(false);
    expect(await check("with a\0NUL", "with a\0NUL")).toBe(true);
    expect(await check("Case counts", "case counts")).toBe(false);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme", maxLength: 60 }),
        fc.string({ unit: "grapheme", maxLength: 60 }),
        async (one, other) => {
          expect(await check(one, one.normalize("NFD"))).toBe(true);
          expect(await check(one, other)).toBe(one.normalize("NFKC") === other.normalize("NFKC"));
        },
      ),
      { numRuns: 100 },
    );
  });

  it("are stored as argon2id at the cost of the cheat sheet", async () => {
    const made = await createPasswords({}).hash("a good password");
    expect(made).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(OWASP_COST).toEqual({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  });

  it("wait in line, and past its end are told to come back", async () => {
    const { queue } = createPasswords({ cost: CHEAP, queue: { running: 2, waiting: 3 } });
    let running = 0;
    let most = 0;
    const job = async (): Promise<string> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      return "done";
    };
    const failing = queue(() => Promise.reject(new Error("no"))).catch((error: Error) => error.message);
    const answers = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(() => queue(job).catch((error) => `${error.code} ${error.retryAfter}`)),
    );
    expect([await failing, most, answers.sort()]).toEqual([
      "no",
      2,
      [...new Array(4).fill("done"), ...new Array(2).fill("too_busy 1")],
    ]);
    expect(await Promise.all([queue(job), queue(job), queue(job), queue(job), queue(job)])).toHaveLength(5);
  });
});

describe("common passwords", () => {
  it("are refused with their usual variants", () => {
    const list = `password password1 Password1! p@ssw0rd P4ssw0rd123 passw0rd 12345678 123456789 1234567890 87654321 11111111 00000000
      123123123 12121212 abcabcabc qwertyui qwerty123 qwertyuiop asdfghjkl 1qaz2wsx 1q2w3e4r 1q2w3e4r5t iloveyou iloveyou1
      sunshine princess football baseball1 superman1 trustno1! letmein1 welcome1 welcome123 admin123 administrator dragon123
      monkey123 shadow12 michael1 charlie1 jordan23 liverpool1 arsenal123 starwars1 pokemon1 whatever computer internet samsung1
      summer2024 Winter2025! January2026 19900101 01011990 12251985 testtest changeme secret123 abcd1234 abc12345 a1b2c3d4
      aaaaaaaa qazwsxedc zaq12wsx !@#$%^&* q1w2e3r4 asdfasdf 1234qwer qwer1234 password2026 hunter2!! lovelove`;
    expect(list.split(/\s+/).filter((password) => !isCommon(password))).toEqual([]);
  });

  it("are several thousand of at least 8 characters", () => {
    const endings = ["", "1", "12", "123", "1234", "!", "1!", "123!"];
    const refused = [...WORDS]
      .flatMap((word) => endings.map((ending) => word + ending))
      .filter((one) => one.length >= 8 && isCommon(one));
    expect(new Set(refused).size).toBeGreaterThan(5_000);
  });

  it("include the own name, and nothing that only looks plain", () => {
    expect([isCommon("lovelace.ada", "lovelace.ada"), isCommon("Lovelace.Ada2026", "lovelace.ada")]).toEqual([
      true,
      true,
    ]);
    const fine = [
      "correct horse battery staple",
      "tr0ub4dor&3 x",
      "gq8-Vt!2mz",
      "my dog ate 3 shoes",
      "Zwölf Boxkämpfer",
      "dragonfruit pavlova",
      "passwords are hard",
      "20261122x9",
    ];
    expect(fine.filter((password) => isCommon(password, "ada"))).toEqual([]);
  });

  it("are found quickly in any text", () => {
    const begin = performance.now();
    for (const text of [
      "a".repeat(1024),
      "ab".repeat(512),
      `${"ab".repeat(511)}ba`,
      "1".repeat(1023),
      "password".repeat(128),
    ])
      isCommon(text, "name");
    expect(performance.now() - begin).toBeLessThan(250);
  });
});

describe("stored passwords", () => {
  const database = new Database(":memory:");
  let server: Running;
  beforeAll(async () => {
    server = await startAccounts({
      accounts: {
        tables: sqliteAccounts({ database }),
        passwords: { cost: { memoryCost: 512, timeCost: 2, parallelism: 1 } },
      },
    });
  });
  afterAll(() => server.close());
  const stored = (name: string): string =>
    (database.prepare("SELECT password_hash AS hash FROM jx_users WHERE name = ?").get(name) as { hash: string }).hash;
  const store = async (name: string, cost: object): Promise<void> => {
    await server.register(name);
    database.prepare("UPDATE jx_users SET password_hash = ? WHERE name = ?").run(await hash(PASSWORD, cost), name);
  };

  it("are hashed again at the next login, once the cost has risen", async () => {
    await store("old", { memoryCost: 64, timeCost: 1 });
    expect(brief(await server.login("old", "wrong password"))).toBe("401 invalid_credentials");
    expect(parseOptions(stored("old"))).toMatchObject({ memoryCost: 64 });
    expect(await Promise.all([1, 2, 3, 4].map(async () => brief(await server.login("old"))))).toEqual(
      new Array(4).fill("201 ok"),
    );
    expect(parseOptions(stored("old"))).toMatchObject({ memoryCost: 512, timeCost: 2, parallelism: 1 });
    expect(brief(await server.login("old"))).toBe("201 ok");
  });

  it("are left alone where they cost more", async () => {
    await store("new", { memoryCost: 1024, timeCost: 3 });
    const before = stored("new");
    expect(brief(await server.login("new"))).toBe("201 ok");
    expect(stored("new")).toBe(before);
  });

  it("are never part of an answer, nor are their hashes", async () => {
    const answers = [
      await server.login("new"),
      await server.login("new", "wrong password"),
      await server.post("/register", { username: "x y", password: PASSWORD }),
    ];
    for (const { text } of answers) expect(text).not.toMatch(/argon2|correct horse|wrong password/);
  });
});
