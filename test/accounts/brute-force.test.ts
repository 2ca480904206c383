import { memoryLimits } from "jwt-extended/accounts";
import { afterEach, describe, expect, it } from "vitest";
import { cookie, cookiesOf } from "../support/answers.ts";
import { ADAPTERS } from "../support/harness/types.ts";
import type { Answer } from "../support/http.ts";
import { bearer, brief, CHEAP, PASSWORD, type Running, startAccounts, type Wanted } from "./server.ts";

let server: Running;
afterEach(() => server?.close());

/** A server with the limits as they are by default, behind a proxy on this machine. */
const start = async (more: Wanted = {}): Promise<void> => {
  const accounts = {
    limits: memoryLimits,
    limitRules: {},
    trustedProxies: ["127.0.0.1"],
    passwords: { cost: CHEAP },
    ...more.accounts,
  };
  server = await startAccounts({ ...more, accounts });
};
const from = (address: string): readonly [string, string] => ["X-Forwarded-For", address];
const guess = (name: string, address: string, ...more: (readonly [string, string])[]): Promise<Answer> =>
  server.login(name, "wrong password", from(address), ...more);
const tally = (answers: readonly Answer[]): Record<string, number> => {
  const all: Record<string, number> = {};
  for (const answer of answers) all[brief(answer)] = (all[brief(answer)] ?? 0) + 1;
  return all;
};

describe.each(ADAPTERS.filter((name) => name !== "web"))("guessing through %s", (adapter) => {
  it("ends in 429 with Retry-After, counted by the address of the connection", async () => {
    await start({ adapter, accounts: { trustedProxies: [] } });
    const answers: Answer[] = [];
    // No proxy is trusted: what the client writes changes nothing.
    for (let i = 0; i < 12; i++) answers.push(await guess("nobody", `198.51.100.${i}`));
    expect(tally(answers)).toEqual({ "401 invalid_credentials": 10, "429 too_many_attempts": 2 });
    const last = answers.at(-1) as Answer;
    expect(Number(last.header("retry-after")[0])).toBeGreaterThan(800);
    expect([last.setCookies, last.header("cache-control"), last.header("www-authenticate")]).toEqual([
      [],
      ["no-store"],
      [],
    ]);
  });
});

describe("guessing", () => {
  it("a thousand passwords of one user, fifty at once, tries ten", async () => {
    await start();
    await server.register("ada");
    const answers: Answer[] = [];
    for (let i = 0; i < 20; i++)
      answers.push(...(await Promise.all(Array.from({ length: 50 }, () => guess("ada", "192.0.2.1")))));
    expect(tally(answers)).toEqual({ "401 invalid_credentials": 10, "429 too_many_attempts": 990 });
    // The right password does not help there, and elsewhere the user gets in.
    expect(brief(await server.login("ada", PASSWORD, from("192.0.2.1")))).toBe("429 too_many_attempts");
    expect(brief(await server.login("ada", PASSWORD, from("192.0.2.2")))).toBe("201 ok");
  });

  it("one password of a thousand users tries a hundred", async () => {
    await start();
    const answers: Answer[] = [];
    for (let i = 0; i < 1_000; i += 50) {
      answers.push(...(await Promise.all(Array.from({ length: 50 }, (_, n) => guess(`user${i + n}`, "192.0.2.3")))));
    }
    expect(tally(answers)).toEqual({ "401 invalid_credentials": 100, "429 too_many_attempts": 900 });
  });

  it("gains nothing by forged, mapped or rotating addresses", async () => {
    await start();
    const spelled = [
      "2001:db8::1",
      "2001:DB8:0:0::2",
      "2001:db8:0:0:ffff::",
      "[2001:db8::3]:99",
      "6.6.6.6, 2001:db8::4",
      "x, 2001:db8::5",
      " 2001:db8::6",
    ];
    const answers: Answer[] = [];
    for (let i = 0; i < 21; i++) answers.push(await guess("eve", spelled[i % spelled.length] as string));
    expect(tally(answers)).toEqual({ "401 invalid_credentials": 10, "429 too_many_attempts": 11 });
    const mapped: Answer[] = [];
    for (let i = 0; i < 12; i++) mapped.push(await guess("eva", i % 2 ? "::ffff:192.0.2.77" : "192.0.2.77"));
    expect(tally(mapped)).toEqual({ "401 invalid_credentials": 10, "429 too_many_attempts": 2 });
  });

  it("from everywhere does not lock out a device that is known, and a stolen cookie has its own limit", async () => {
    await start();
    await server.register("ada");
    const device = cookiesOf(await server.login("ada", PASSWORD, from("192.0.2.4")))["__Host-device"]?.value ?? "";
    expect(device).toMatch(/^[\w-]{22}\.[\w-]{22}$/);
    for (let i = 0; i < 40; i++) await guess("ada", `2001:db8:${i.toString(16)}::1`);
    expect(brief(await server.login("ada", PASSWORD, from("192.0.2.5")))).toBe("429 too_many_attempts");
    const known = cookie(`__Host-device=${device}`);
    const again = await server.login("ada", PASSWORD, from("192.0.2.5"), known);
    expect([brief(again), cookiesOf(again)["__Host-device"]?.value]).toEqual(["201 ok", device]);
    // Neither another account nor a cookie that was made up is let through by it.
    await server.register("bob");
    for (let i = 0; i < 40; i++) await guess("bob", `2001:db8:${i.toString(16)}::2`);
    for (const forged of [device, `${device.slice(0, 22)}.${"A".repeat(22)}`, "x", `${"A".repeat(5_000)}.x`]) {
      expect(brief(await server.login("bob", PASSWORD, from("192.0.2.6"), cookie(`__Host-device=${forged}`)))).toBe(
        "429 too_many_attempts",
      );
    }
    const stolen: Answer[] = [];
    for (let i = 0; i < 12; i++) stolen.push(await guess("ada", `203.0.113.${i}`, known));
    expect(tally(stolen)).toEqual({ "401 invalid_credentials": 10, "429 too_many_attempts": 2 });
  });

  it("the current password of an open session is counted like a login", async () => {
    await start();
    const { access_token } = await server.register("ada");
    const attempts: Answer[] = [];
    for (let i = 0; i < 12; i++) {
      const body = { currentPassword: `wrong password ${i}`, newPassword: "another good one" };
      attempts.push(await server.post("/password", body, bearer(access_token), from("192.0.2.8")));
    }
    expect(tally(attempts)).toEqual({ "401 invalid_credentials": 10, "429 too_many_attempts": 2 });
    expect(brief(await server.login("ada", PASSWORD, from("192.0.2.8")))).toBe("429 too_many_attempts");
  });

  it("names that are taken is limited, too", async () => {
    await start();
    await server.register("ada");
    const answers: Answer[] = [];
    for (let i = 0; i < 22; i++)
      answers.push(await server.post("/register", { username: "ada", password: PASSWORD }, from("192.0.2.9")));
    expect(tally(answers)).toEqual({ "409 username_taken": 20, "429 too_many_attempts": 2 });
  });

  it("tells the same of names that exist and of those that do not, also where it ends", async () => {
    await start();
    await server.register("ada");
    for (let i = 0; i < 11; i++) {
      const [known, unknown] = [await guess("ada", "192.0.2.10"), await guess("nobody", "192.0.2.11")];
      expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    }
  });
});
