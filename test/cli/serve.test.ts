import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command, serving } from "./command.ts";

describe("serve", () => {
  it("runs until it is told to stop, and the doctor finds nothing wrong with it", { timeout: 60_000 }, async () => {
    const { url, cwd, stop } = await serving([], { env: { LOG_FORMAT: "text" } });
    const credentials = { username: "ada", password: "analytical marker" };
    const made = await fetch(`${url}/register`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(credentials),
    });
    expect(made.status).toBe(201);
    writeFileSync(join(cwd, "login.json"), JSON.stringify({ ...credentials, via: "cookies" }));
    const words = ["doctor", url, "--login", "/login", "--credentials", "login.json", "--json"];
    const { code, json, out } = await command(words, { cwd });
    const { faults, warnings, findings } = json() as {
      faults: number;
      warnings: number;
      findings: { check: string }[];
    };
    expect([code, faults, warnings]).toEqual([0, 0, 0]);
    const checks = findings.map(({ check }) => check);
    expect(checks).toEqual(expect.arrayContaining(["clock", "headers", "guard", "cors", "jwks", "login"]));
    expect(checks.filter((check) => check.startsWith("cookie ")).length).toBeGreaterThan(3);
    expect(out).not.toMatch(/marker|eyJ/);
    expect((await stop()).code).toBe(0);
  });

  it("publishes the key of keys generate, and tokens of token mint come in by nothing but a session", async () => {
    const { cwd } = await command(["keys", "generate"]);
    const env = { JWT_ALGORITHM: "ES256", JWT_PRIVATE_KEY_FILE: "jwt-private.pem" };
    const { url, stop } = await serving(["--json"], { cwd, env });
    const { findings } = (await command(["doctor", url, "--json"], { cwd, env })).json() as {
      findings: { check: string; says: string }[];
    };
    expect(findings).toContainEqual(
      expect.objectContaining({ check: "jwks", says: expect.stringMatching(/1 public key/) }),
    );
    const token = (await command(["token", "mint", "nobody"], { cwd, env })).out.trim();
    expect((await fetch(`${url}/protected`, { headers: { Authorization: `Bearer ${token}` } })).status).toBe(401);
    const { code, out } = await stop();
    expect(code).toBe(0);
    for (const line of out.trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) });
  });

  it("says in one go why it cannot start", async () => {
    const env = { PORT: "many", JWT_SECRET_KEY: "short marker", REDIS_URL: "nowhere" };
    const [text, json] = await Promise.all([command(["serve"], { env }), command(["serve", "--json"], { env })]);
    expect([text.code, text.out, json.code, json.err]).toEqual([1, "", 1, ""]);
    expect(text.err).toMatch(/PORT[\s\S]*JWT_SECRET_KEY/);
    expect(json.json()).toMatchObject({ ok: false, error: { code: "cannot_start", message: text.err.trim() } });
    expect(text.err + json.out).not.toMatch(/marker|\n\s+at /);
  });
});
