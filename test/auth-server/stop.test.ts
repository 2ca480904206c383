import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { bearer } from "../support/serve.ts";
import { type Pair, startServer } from "./server.ts";
import { listen } from "./visitor.ts";

const USER = { username: "ada", password: "a password of the end" };

describe("the stop", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "on %s ends streams, lets requests end, and takes no new ones",
    async (signal) => {
      const server = await startServer();
      const { access_token } = (await server.post("/register", USER)).json() as Pair;
      const stream = await listen(server, "/events", bearer(access_token));
      expect(stream.status).toBe(200);
      // A request whose body is still under way when the signal comes.
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname);
      const body = JSON.stringify(USER);
      const head = `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      socket.write(head + body.slice(0, 10));
      let text = "";
      socket.setEncoding("utf8").on("data", (more: string) => {
        text += more;
      });
      await new Promise((resolve) => setTimeout(resolve, 200));
      const begin = performance.now();
      const ended = server.stop(signal);
      await expect.poll(() => stream.closedAt(), { timeout: 2_000 }).toBeDefined();
      await expect(server.send({ path: "/health/live" })).rejects.toThrow(/ECONNREFUSED/);
      socket.write(body.slice(10));
      await once(socket, "close");
      expect(text).toMatch(/^HTTP\/1\.1 201 [\s\S]*"access_token"/);
      expect((await ended).code).toBe(0);
      expect(performance.now() - begin).toBeLessThan(5_000);
    },
  );

  it("comes after the work for clients that have gone, which would find its stores closed", async () => {
    const server = await startServer({ env: { LOG_FORMAT: "json" } });
    await server.post("/register", USER);
    const { hostname, port } = new URL(server.url);
    const body = JSON.stringify({ ...USER, password: "a wrong password" });
    const head = `POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    const sockets = Array.from({ length: 8 }, () => connect(Number(port), hostname).on("error", () => {}));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    for (const socket of sockets) socket.write(`${head}\r\n\r\n${body}`);
    // All are at their hashes by then, and the first is not through with it.
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const socket of sockets) socket.destroy();
    const { code, output } = await server.stop();
    expect([code, output.split("\n").filter((line) => line.includes('"level":"error"'))]).toEqual([0, []]);
    expect(output.match(/POST \/login 499/g)?.length).toBeGreaterThan(0);
  });

  it("waits for nobody longer than five seconds", async () => {
    const server = await startServer();
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname).on("error", () => {});
    socket.write("POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const begin = performance.now();
    expect((await server.stop()).code).toBe(0);
    expect(performance.now() - begin).toBeLessThan(5_500);
    socket.destroy();
  });
});
