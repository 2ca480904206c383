import { Agent } from "node:http";
import { Worker } from "node:worker_threads";
import * as jwt from "jwt-extended";
import { describe, expect, it } from "vitest";
import { act, told } from "../support/answers.ts";
import type { Harness, TestRoute } from "../support/harness/types.ts";
import { bearer, JSON_TYPE, managerOf, serving } from "../support/serve.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** `getJwt()` and its family without a request. */
export function feature(harness: Harness): void {
  let thread: (() => Promise<void>) | undefined;
  const seen = async (): Promise<unknown> => ({
    id: jwt.getJwtIdentity(),
    claims: jwt.getJwt().sub,
    alg: jwt.getJwtHeader().alg,
    location: jwt.getJwtRequestLocation(),
    user: jwt.getCurrentUser(),
  });
  const guarded: TestRoute = {
    methods: ["GET"],
    path: "/me",
    guard: {},
    handler: async (tools) => {
      const before = jwt.getJwtIdentity();
      await pause(Number(tools.query.get("wait")));
      if (tools.query.get("away")) await thread?.();
      const inside = await Promise.all([seen(), pause(1).then(seen)]);
      if (tools.query.get("fail")) throw new Error("on purpose");
      return { json: { before, inside, own: tools.getAuth().identity } };
    },
  };

  describe("ambient accessors", () => {
    it("give each of 1000 parallel requests of 100 users its own identity, over connections that are kept", async () => {
      const userLookup = async (_: unknown, { sub }: { sub: string }) => `user ${sub}`;
      const manager = managerOf({ ambientContext: true, loaders: { userLookup } });
      const users = Array.from({ length: 100 }, (_, i) => `id-${i}`);
      const tokens = await Promise.all(users.map((id) => manager.createAccessToken(id)));
      const agent = new Agent({ keepAlive: true, maxSockets: 100 });
      const worker = new Worker(
        'const { parentPort } = require("node:worker_threads"); parentPort.on("message", (n) => parentPort.postMessage(n));',
        { eval: true },
      );
      const waiting = new Map<number, () => void>();
      const strangers: unknown[] = [];
      worker.on("message", (number: number) => {
        strangers.push(jwt.tryGetJwtIdentity());
        waiting.get(number)?.();
      });
      thread = () =>
        new Promise((resolve) => {
          waiting.set(waiting.size, resolve);
          worker.postMessage(waiting.size - 1);
        });
      const open = act("/open", () => ({ json: { id: jwt.tryGetJwtIdentity() ?? null } }));
      await serving(harness, manager, [guarded, open], {}, async ({ send }) => {
        const asked = Array.from({ length: 1000 }, (_, i) => {
          const way = `${i % 9 === 0 ? "&fail=1" : ""}${i % 10 === 0 ? "&away=1" : ""}`;
          return send({ path: `/me?wait=${(i * 7) % 20}${way}`, headers: [bearer(tokens[i % 100] ?? "")], agent });
        });
        for (const [i, answer] of (await Promise.all(asked)).entries()) {
          if (i % 9 === 0) expect(answer.status).toBe(500);
          else {
            const id = users[i % 100];
            const all = { id, claims: id, alg: "HS256", location: "headers", user: `user ${id}` };
            expect(answer.json()).toEqual({ before: id, inside: [all, all], own: id });
          }
        }
        const after = await Promise.all(
          users.map(() => send({ path: "/open", headers: [bearer(tokens[0] ?? "")], agent })),
        );
        for (const answer of after) expect(answer.json()).toEqual({ id: null });
        expect(strangers).toEqual(Array.from({ length: 100 }, () => undefined));
        expect(jwt.tryGetJwt()).toBeUndefined();
        expect(jwt.tryGetJwtIdentity()).toBeUndefined();
        agent.destroy();
        await worker.terminate();
      });
    });

    it("give it behind a body, too, however the body comes", async () => {
      const manager = managerOf({ ambientContext: true });
      for (const guard of [{}, { locations: ["headers", "json"] as const }]) {
        const route: TestRoute = {
          methods: ["POST"],
          path: "/body",
          guard,
          handler: async (tools) => {
            const body = (await tools.body()) as { pad: string };
            return { json: [jwt.getJwtIdentity(), body.pad.length] };
          },
        };
        await serving(harness, manager, [route], {}, async ({ send }) => {
          const asked = Array.from({ length: 30 }, async (_, i) => {
            const length = i * 1500;
            const headers = [bearer(await manager.createAccessToken(`id-${i}`)), JSON_TYPE];
            const body = JSON.stringify({ pad: "x".repeat(length) });
            const answer = await send({ method: "POST", path: "/body", headers, body });
            expect([answer.status, answer.text]).toEqual([200, JSON.stringify([`id-${i}`, length])]);
          });
          await Promise.all(asked);
        });
      }
    });

    it("know nobody under an optional guard without a token, nor without a guard", async () => {
      const manager = managerOf({ ambientContext: true });
      const look: TestRoute["handler"] = () => ({ json: { id: jwt.tryGetJwtIdentity() ?? null } });
      const optional: TestRoute = { methods: ["GET"], path: "/optional", guard: { optional: true }, handler: look };
      await serving(harness, manager, [optional, act("/open", look)], {}, async ({ get }) => {
        const token = await manager.createAccessToken("ada");
        expect((await get("/optional", bearer(token))).json()).toEqual({ id: "ada" });
        expect((await get("/optional")).json()).toEqual({ id: null });
        expect((await get("/open", bearer(token))).json()).toEqual({ id: null });
      });
    });

    it("throw an error that says what to do where they are switched off", async () => {
      const manager = managerOf();
      const routes = [
        act(
          "/open",
          told(() => ({ json: jwt.getJwt() })),
        ),
        { methods: ["GET"], path: "/me", guard: {}, handler: told(() => ({ json: jwt.getJwtIdentity() })) },
        { methods: ["GET"], path: "/try", guard: {}, handler: () => ({ json: jwt.tryGetJwtIdentity() ?? "none" }) },
      ];
      await serving(harness, manager, routes, {}, async ({ get }) => {
        const token = bearer(await manager.createAccessToken("ada"));
        for (const path of ["/me", "/open"]) {
          const answer = await get(path, token);
          expect([answer.status, answer.json()]).toEqual([
            599,
            { code: "ambient_context_off", message: expect.stringContaining("ambientContext: true") },
          ]);
        }
        expect((await get("/try", token)).json()).toBe("none");
      });
    });

    it("always work with the request", async () => {
      const manager = managerOf({ loaders: { userLookup: () => "Ada" } });
      const route: TestRoute = {
        methods: ["GET"],
        path: "/me",
        guard: {},
        handler: ({ request }) => ({
          json: [
            jwt.getJwt(request).sub,
            jwt.getJwtHeader(request).alg,
            jwt.getJwtIdentity(request),
            jwt.getJwtRequestLocation(request),
            jwt.getCurrentUser(request),
            jwt.tryGetCurrentUser(request),
            jwt.tryGetJwt({}) ?? null,
          ],
        }),
      };
      await serving(harness, manager, [route], {}, async ({ get }) => {
        const answer = await get("/me", bearer(await manager.createAccessToken("ada")));
        expect(answer.json()).toEqual(["ada", "HS256", "ada", "headers", "Ada", "Ada", null]);
      });
    });
  });
}
