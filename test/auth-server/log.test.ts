import { expect, it } from "vitest";
import { claimsOf, type Pair, startServer } from "./server.ts";
import { Browser } from "./visitor.ts";

const MARKER = "marker-Zx81-pass";

interface Line {
  readonly level: string;
  readonly time: string;
  readonly msg: string;
  readonly request?: string;
  readonly route?: string;
  readonly [field: string]: unknown;
}

it("one line of JSON for each request and entry of the trail, and nothing secret in any", async () => {
  const server = await startServer({ env: { LOG_FORMAT: "json", LOG_LEVEL: "debug" } });
  const body = { username: "logged", password: MARKER };
  const pair = (await server.post("/register", body)).json() as Pair;
  const browser = new Browser(server);
  await browser.send("POST", "/login", { ...body, via: "cookies" });
  await browser.send("GET", `/protected?jwt=${pair.access_token}&password=${MARKER}`);
  await browser.send("POST", "/refresh", undefined, "refresh");
  await server.post("/login", { ...body, password: `${MARKER}-wrong` });
  await server.post("/login", `{"password":"${MARKER}"`);
  await server.ask("GET", `/${MARKER}/${pair.refresh_token}`, pair.access_token);
  await server.ask("GET", "/me", `${pair.access_token}x`);
  await server.ask("DELETE", `/sessions/${MARKER}`, pair.access_token);
  for (const username of ["line\nbreak", "red\u001b[31m", "\u2028next"]) {
    const headers = [
      ["Content-Type", "application/json"],
      ["User-Agent", `bot\u009b31m ${MARKER.slice(0, 5)}`],
    ] as const;
    await server.send({
      method: "POST",
      path: "/register",
      headers,
      body: JSON.stringify({ username, password: MARKER }),
    });
  }
  await server.send({ path: "/health/live" });
  const cookies = [...browser.cookies.values()];
  await browser.send("POST", "/logout", undefined, "access");
  const { output, code } = await server.stop();

  const lines = output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
  const { sub } = claimsOf(pair.access_token);
  const answered = lines.filter(({ route }) => route !== undefined);
  expect(answered.map(({ method, route, status, subject }) => [method, route, status, subject === sub])).toEqual([
    ["POST", "/register", 201, true],
    ["POST", "/login", 201, true],
    ["GET", "/protected", 200, true],
    ["POST", "/refresh", 200, true],
    ["POST", "/login", 401, false],
    ["POST", "/login", 400, false],
    ["GET", "unknown", 404, false],
    ["GET", "/me", 401, false],
    ["DELETE", "/sessions/:id", 404, true],
    ["POST", "/register", 400, false],
    ["POST", "/register", 400, false],
    ["POST", "/register", 400, false],
    ["GET", "/health/live", 200, false],
    ["POST", "/logout", 204, false],
  ]);
  for (const { request, time, ms } of answered) {
    expect(request).toMatch(/^[\w-]{22}$/);
    expect(Date.parse(time)).toBeGreaterThan(0);
    expect(ms).toBeGreaterThanOrEqual(0);
  }
  // The trail and the line of an answer name the same request.
  const audit = lines.filter((line) => line.audit !== undefined);
  expect(audit.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(["register: ok", "login: ok", "login: invalid_credentials", "refresh: ok", "revoke: ok"]),
  );
  expect(audit[0]?.request).toBe(answered[0]?.request);
  expect(new Set(answered.map(({ request }) => request)).size).toBe(answered.length);

  expect(lines.filter(({ msg }) => msg === `Listening on ${server.url}`)).toHaveLength(1);
  expect([lines.at(-2)?.msg, lines.at(-1)?.msg, code]).toEqual(["Stopping", "Stopped", 0]);
  for (const secret of [MARKER, ...cookies]) {
    const forms = [secret, secret.slice(0, 20), encodeURIComponent(secret), Buffer.from(secret).toString("base64")];
    for (const form of forms) expect(output).not.toContain(form.slice(0, 20));
  }
  // What a terminal would obey, and the rest of an address.
  for (const sign of ["eyJ", "?jwt", "\u001b", "\u009b", "\u2028"]) expect(output).not.toContain(sign);
});
