import { expressHarness } from "./express.ts";
import { fastifyHarness } from "./fastify.ts";
import { honoHarness } from "./hono.ts";
import { koaHarness } from "./koa.ts";
import { nodeHarness } from "./node.ts";
import type { AdapterName, Harness } from "./types.ts";
import { webHarness } from "./web.ts";

/** One harness for each adapter. */
export const harnesses: Record<AdapterName, Harness> = {
  express: expressHarness,
  fastify: fastifyHarness,
  hono: honoHarness,
  koa: koaHarness,
  node: nodeHarness,
  web: webHarness,
};
