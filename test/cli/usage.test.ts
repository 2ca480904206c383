import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/run.ts";
import { manifest } from "../package/project.ts";
import { command } from "./command.ts";

const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZXIifQ.bWFya2VyLW9mLXRoZS1zaWduYXR1cmU";
const NAMES = COMMANDS.map(({ name }) => name);

describe("help", () => {
  it("lists every command with its exit codes", async () => {
    const { code, out, err } = await command(["--help"]);
    expect([code, err]).toEqual([0, ""]);
    for (const name of NAMES) expect(out).toContain(`  ${name} `);
    expect(out).toMatch(/0 {2}all is well[\s\S]*1 {2}the thing[\s\S]*2 {2}the command was typed wrongly/);
  });

  it.each(NAMES)("%s tells its options", async (name) => {
    const { options = {} } = COMMANDS.find((one) => one.name === name) ?? {};
    const words = [...name.split(" "), "--help"];
    const [text, json] = await Promise.all([command(words), command([...words, "--json"])]);
    expect([text.code, text.err]).toEqual([0, ""]);
    expect(text.out).toContain(`Usage: jwt-extended ${name} `);
    for (const option of [...Object.keys(options), "json", "help"]) expect(text.out).toContain(`  --${option}`);
    expect(text.out).toMatch(/Exit codes:/);
    expect(json.json()).toMatchObject({ ok: true, commands: [{ name }] });
  });

  it("is there under the names that people try, and so is the version", async () => {
    const [short, word, version] = await Promise.all([command(["-h"]), command(["help"]), command(["--version"])]);
    expect([short.code, short.out]).toEqual([0, word.out]);
    expect(version).toMatchObject({ code: 0, out: `${manifest.version}\n` });
  });

  it("of a group lists its commands", async () => {
    const { code, out } = await command(["token", "--help"]);
    expect([code, out.match(/^ {2}token \w+/gm)]).toEqual([0, ["  token mint", "  token inspect", "  token verify"]]);
  });
});

describe("wrong usage", () => {
  const rows: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no command", [], /Usage: jwt-extended COMMAND/],
    ["an unknown one", ["conjure"], /no such command/],
    ["half of one", ["token"], /no such command/],
    ["an unknown option", ["secret", "--colour"], /no option --colour/],
    ["a value where none belongs", ["secret", "--force=yes"], /--force takes no value/],
    ["a missing value", ["secret", "--out"], /--out needs a value/],
    ["too few arguments", ["token", "mint"], /takes SUBJECT, and was given 0/],
    ["too many arguments", ["secret", "one", "two"], /takes no arguments, and was given 2/],
    ["too few bytes", ["secret", "--bytes", "31"], /--bytes must be a whole number from 32 to 1024/],
    ["no number", ["secret", "--bytes", "48.5"], /--bytes must be/],
    ["an unknown algorithm", ["keys", "generate", "--algorithm", "none"], /--algorithm must be one of RS256/],
    ["a secret as a key pair", ["keys", "generate", "--algorithm", "HS256"], /jwt-extended secret/],
    ["an unknown format", ["keys", "generate", "--format", "der"], /--format must be/],
    ["a small key", ["keys", "generate", "--algorithm", "RS256", "--bits", "1024"], /--bits must be/],
    ["a claim without value", ["token", "mint", "ada", "--claim", "admin"], /NAME=VALUE/],
    ["a fresh refresh token", ["token", "mint", "ada", "--fresh", "--refresh"], /access tokens only/],
    ["an unknown type", ["token", "verify", TOKEN, "--type", "id"], /--type must be/],
    ["an empty token", ["token", "inspect"], /Give a token/],
    ["two tokens", ["token", "inspect", TOKEN, "--file", "-"], /once/],
    ["no time", ["purge", "--audit-older-than", "long"], /must be a time/],
    ["no URL", ["doctor", "localhost:5000"], /http:\/\//],
    ["a URL with a password", ["doctor", "http://ada:marker@127.0.0.1/"], /without a name and password/],
    ["a path that is none", ["doctor", "http://127.0.0.1", "--guarded", "//elsewhere.example"], /one slash/],
    ["half a login", ["doctor", "http://127.0.0.1", "--login", "/login"], /work together/],
    // A token in the wrong place must not come back on the screen.
    ["a token as a command", [TOKEN], /no such command/],
    ["a token too many", ["token", "verify", TOKEN, TOKEN], /was given 2/],
    ["a token as an option", ["token", "verify", `--${TOKEN}`], /no option here/],
    ["a token as the value of a flag", ["token", "verify", `--store=${TOKEN}`], /--store takes no value/],
  ];

  it.each(rows)("%s ends with 2", async (_name, words, says) => {
    const [text, json] = await Promise.all([command(words), command([...words, "--json"])]);
    expect([text.code, text.out]).toEqual([2, ""]);
    expect(text.err).toMatch(says);
    expect([json.code, json.err]).toEqual([2, ""]);
    expect(json.json()).toMatchObject({
      ok: false,
      error: { code: "wrong_usage", message: expect.stringMatching(says) },
    });
    expect(text.err + json.out).not.toMatch(/eyJ|marker|\n\s+at /);
  });
});
