import { describe, expect, it } from "vitest";
import { MODES, PASSWORD, signIn } from "./clients.ts";
import { claimsOf, type Pair, startServer } from "./server.ts";
import { Browser } from "./visitor.ts";

const SECRET = "Zq-a-secret-of-this-test-of-attacks-3k9";
const ODD = ["a\r\nFAKE line", "\u001b[31mred\u001b[0m", "x\u2028y", "\u0000", "</script><b>", '{"level":"error"}'];

/** A secret in the forms in which it could slip into a log. */
function formsOf(secret: string): string[] {
  const parts = secret.split(".");
  // The first part of a token is the same in all of them.
  const telling = parts.length === 3 ? parts.slice(1) : [secret];
  return telling.flatMap((part) => [
    part.slice(0, 20),
    Buffer.from(part).toString("base64").slice(0, 20),
    Buffer.from(part).toString("hex").slice(0, 30),
    encodeURIComponent(part).slice(0, 24),
  ]);
}

describe.each(["json", "text"])("the log as %s, at its most talkative", (format) => {
  it("holds no token, value, password or secret in any form, and one line stays one line", async () => {
    const server = await startServer({ env: { LOG_FORMAT: format, LOG_LEVEL: "trace", JWT_SECRET_KEY: SECRET } });
    const secrets = new Set<string>([SECRET, PASSWORD, `${PASSWORD}-wrong`, "another good one"]);
    for (const mode of MODES) {
      const name = `logged-${mode}`;
      const client = await signIn(server, mode, name);
      for (const secret of client.secrets) secrets.add(secret);
      secrets.add(String(claimsOf(client.access).jti));
      const lines = client.lines();
      const via = mode === "cookie" ? "cookies" : "body";
      await server.post("/login", { username: name, password: `${PASSWORD}-wrong`, via });
      await server.post("/login", `{"username":"${name}","password":"${PASSWORD}`);
      await server.send({ path: `/me?jwt=${client.access}&password=${encodeURIComponent(PASSWORD)}`, headers: lines });
      await server.send({ path: `/${client.refresh}`, headers: lines });
      await server.send({ path: `/sessions/${client.access}`, method: "DELETE", headers: lines });
      await server.send({ path: "/me", headers: [["Authorization", `Bearer ${client.access}x`]] });
      await server.send({ path: "/me", headers: [["Referer", `https://x/?t=${client.access}`], ...lines] });
      for (const odd of ODD) {
        await server.post("/login", { username: odd, password: PASSWORD, via });
        await server.post("/register", { username: odd, password: PASSWORD, via });
        await server.send({ path: `/${encodeURIComponent(odd)}`, headers: lines });
      }
      await server.send({ path: "/me", headers: [["User-Agent", "\u00ff agent \t[31m"], ...lines] });
      const change = JSON.stringify({ currentPassword: PASSWORD, newPassword: "another good one" });
      const kind = ["Content-Type", "application/json"] as const;
      await server.send({ method: "POST", path: "/password", headers: [...lines, kind], body: change });
      // A refresh token that comes again ends the session, which is told loudly.
      const again = await signIn(server, mode, name, "another good one");
      for (const secret of again.secrets) secrets.add(secret);
      for (let i = 0; i < 2; i++) {
        const answer = await server.send({ method: "POST", path: "/refresh", headers: again.lines("refresh") });
        if (mode === "bearer" && i === 0) secrets.add((answer.json() as Pair).access_token);
      }
      await server.send({ method: "POST", path: "/logout", headers: again.lines() });
    }
    const browser = new Browser(server);
    await browser.send("POST", "/setup", { token: SECRET, username: "root", password: PASSWORD, via: "cookies" });
    const { code, output } = await server.stop();
    expect(code).toBe(0);
    expect(output.split("\n").length).toBeGreaterThan(60);

    for (const secret of secrets)
      for (const form of formsOf(secret)) expect([form, output.includes(form)]).toEqual([form, false]);
    expect(output).not.toMatch(/eyJ/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(output).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028]/);
    expect(output).not.toMatch(/^\s*FAKE/m);
    if (format === "json")
      for (const line of output.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("msg");
  });
});
