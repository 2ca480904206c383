import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { bearer, managerOf, serving } from "../support/serve.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Writes a request and hangs up after a moment. */
async function hangUp(url: string, text: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write(text)).on("error", () => {});
  await pause(30);
  socket.destroy();
}

/** Clients that leave in the middle. */
export function feature(harness: Harness): void {
  describe("disconnects", () => {
    const faults: unknown[] = [];
    const note = (fault: unknown): unknown => faults.push(fault);
    beforeAll(() => void process.on("unhandledRejection", note).on("uncaughtException", note));
    afterAll(() => void process.off("unhandledRejection", note).off("uncaughtException", note));

    it("runs no handler and writes nothing twice when a client leaves while its token is judged", async () => {
      let ran = 0;
      const userLookup = async (): Promise<null> => {
        await pause(80);
        return null;
      };
      const manager = managerOf({ loaders: { userLookup } });
      const token = await manager.createAccessToken("ada");
      const route: TestRoute = { methods: ["GET"], path: "/", guard: {}, handler: () => ({ json: ++ran }) };
      await serving(harness, manager, [route], {}, async ({ url, get }) => {
        const text = `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`;
        await Promise.all([hangUp(url, text), hangUp(url, text)]);
        await pause(120);
        expect((await get("/", bearer(token))).status).toBe(401);
      });
      expect([ran, faults]).toEqual([0, []]);
    });

    it.each([true, false])(
      "runs no handler when a client leaves in the middle of a body (parsers: %s)",
      async (parsers) => {
        let ran = 0;
        const manager = managerOf();
        const token = await manager.createAccessToken("ada");
        const guard = { locations: ["json"] } as const;
        const route: TestRoute = { methods: ["POST"], path: "/", guard, handler: () => ({ json: ++ran }) };
        await serving(harness, manager, [route], { parsers }, async ({ url, postJson }) => {
          const body = JSON.stringify({ access_token: token });
          const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
          await hangUp(url, `${head}Content-Length: ${body.length + 10}\r\n\r\n${body}`);
          await hangUp(url, `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n`);
          await pause(50);
          expect(ran).toBe(0);
          expect((await postJson("/", body)).status).toBe(200);
        });
        expect([ran, faults]).toEqual([1, []]);
      },
    );
  });
}
