import { beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/http.ts";
import { type Client, MODES, type Mode, PASSWORD, signIn, subjectOf } from "./clients.ts";
import { type Running, startServer } from "./server.ts";

const ADMIN = { ADMIN_USERNAME: "root", ADMIN_PASSWORD: "a password of the root" };
const WRONG = "wrong password";

let server: Running;
let root: Client;
beforeAll(async () => {
  server = await startServer({ env: ADMIN });
  root = await signIn(server, "bearer", "root", ADMIN.ADMIN_PASSWORD);
});

const via = (mode: Mode): string => (mode === "cookie" ? "cookies" : "body");
/** A login through the trusted proxy on this machine, which saw `address`. */
const login = (mode: Mode, username: string, password: string, address?: string, to = server): Promise<Answer> =>
  to.send({
    method: "POST",
    path: "/login",
    headers: [["Content-Type", "application/json"], ...(address ? [["X-Forwarded-For", address] as const] : [])],
    body: JSON.stringify({ username, password, via: via(mode) }),
  });
/** All of an answer but the moment of its making. */
const bytes = ({ status, headers, text }: Answer): unknown => [
  status,
  headers.filter(([name]) => name.toLowerCase() !== "date"),
  text,
];
const tally = (answers: readonly Answer[]): Record<number, number> => {
  const all: Record<number, number> = {};
  for (const { status } of answers) all[status] = (all[status] ?? 0) + 1;
  return all;
};

describe.each(MODES)("guessing in %s mode", (mode) => {
  it("tries ten passwords of a name from an address, fifty at once, and tells nothing of the name", async () => {
    await signIn(server, mode, `guessed-${mode}`);
    const [known, unknown] = [`guessed-${mode}`, `nobody-${mode}`];
    const last: Answer[] = [];
    for (const [i, name] of [known, unknown].entries()) {
      const address = `203.0.113.${i + (mode === "cookie" ? 10 : 20)}`;
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => login(mode, name, WRONG, `6.6.6.${n}, ${address}`)),
      );
      expect(tally(answers)).toEqual({ 401: 10, 429: 40 });
      // Where attempts are counted the right password gets nobody in; the user is let in from elsewhere.
      last.push(await login(mode, name, PASSWORD, address));
      expect((await login(mode, name, PASSWORD)).status).toBe(name === known ? 201 : 401);
    }
    const [one, other] = last as [Answer, Answer];
    expect([one.status, one.text, one.setCookies]).toEqual([429, other.text, []]);
    for (const answer of last) expect(Number(answer.header("retry-after")[0])).toBeGreaterThan(800);
  });

  it("gains nothing by addresses that are forged, spelled anew or of one network", async () => {
    const networks = [
      [
        "2001:db8::1",
        "2001:DB8:0:0::2",
        "[2001:db8::3]:99",
        "6.6.6.6, 2001:db8::4",
        "2001:db8:0:0:ffff::",
        "x, 2001:db8::5",
      ],
      ["192.0.2.77", "::ffff:192.0.2.77", "192.0.2.77:81", "::FFFF:C000:024D"],
    ];
    for (const [i, spelled] of networks.entries()) {
      const answers: Answer[] = [];
      for (let n = 0; n < 13; n++)
        answers.push(await login(mode, `spelled-${i}-${mode}`, WRONG, spelled[n % spelled.length]));
      expect([spelled[0], tally(answers)]).toEqual([spelled[0], { 401: 10, 429: 3 }]);
    }
  });

  it("brings the same bytes for whoever cannot get in, and for whom there is not", async () => {
    const names = [`there-${mode}`, `disabled-${mode}`];
    for (const name of names) await signIn(server, mode, name);
    const gone = await signIn(server, mode, names[1] as string);
    const disable = `/admin/users/${subjectOf(gone)}/disable`;
    expect((await server.send({ method: "POST", path: disable, headers: root.lines() })).status).toBe(204);
    const wrong = await login(mode, names[0] as string, WRONG);
    const others = [
      await login(mode, "not-there", WRONG),
      await login(mode, "no name at all", WRONG),
      await login(mode, "", WRONG),
      await login(mode, names[0] as string, ""),
      await login(mode, names[1] as string, WRONG),
      await login(mode, names[1] as string, PASSWORD),
    ];
    for (const other of others) expect(bytes(other)).toEqual(bytes(wrong));
    expect(wrong.text).toBe('{"code":"invalid_credentials","msg":"Wrong username or password"}');
  });
});

it("one password of all names is tried a hundred times from an address", { timeout: 60_000 }, async () => {
  const answers: Answer[] = [];
  for (let i = 0; i < 120; i += 20)
    answers.push(
      ...(await Promise.all(
        Array.from({ length: 20 }, (_, n) => login("bearer", `sprayed-${i + n}`, WRONG, "198.51.100.7")),
      )),
    );
  expect(tally(answers)).toEqual({ 401: 100, 429: 20 });
});

it("without a proxy in front, what a client writes about its address is nothing", async () => {
  const bare = await startServer({ env: { TRUSTED_PROXIES: "" } });
  const answers: Answer[] = [];
  for (let n = 0; n < 12; n++) answers.push(await login("bearer", "ada", WRONG, `198.51.100.${n}`, bare));
  expect(tally(answers)).toEqual({ 401: 10, 429: 2 });
  await bare.stop();
});
