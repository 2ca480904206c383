// Imports what it is told to, builds a manager where that is ours, and writes what it took.
const SECRET = "a-secret-for-measurements-of-32-bytes";

async function manager(): Promise<import("../src/index.ts").JWTManager> {
  const { JWTManager } = await import("../src/index.ts");
  return new JWTManager({ secretKey: SECRET, warn: () => {} });
}

const STARTS: Readonly<Record<string, () => Promise<unknown>>> = {
  core: manager,
  express: async () => (await import("../src/adapters/express.ts")).expressJwt(await manager()),
  fastify: async () => (await import("../src/adapters/fastify.ts")).fastifyJwt(await manager()),
  hono: async () => (await import("../src/adapters/hono.ts")).honoJwt(await manager()),
  koa: async () => (await import("../src/adapters/koa.ts")).koaJwt(await manager()),
  node: async () => (await import("../src/adapters/node.ts")).nodeJwt(await manager()),
  web: async () => (await import("../src/adapters/web.ts")).webJwt(await manager()),
  sqlite: async () => [await import("../src/stores/sqlite.ts"), await manager()],
  postgres: async () => [await import("../src/stores/postgres.ts"), await manager()],
  redis: async () => [await import("../src/stores/redis.ts"), await manager()],
  jose: () => import("jose"),
  "fast-jwt": () => import("fast-jwt"),
  jsonwebtoken: () => import("jsonwebtoken"),
};

const before = process.memoryUsage().rss;
const from = process.hrtime.bigint();
const kept = await STARTS[process.argv[2] ?? ""]?.();
const nanoseconds = Number(process.hrtime.bigint() - from);
const bytes = process.memoryUsage().rss - before;
if (kept === undefined) throw new Error("nothing was started");
process.stdout.write(JSON.stringify({ nanoseconds, bytes }));
