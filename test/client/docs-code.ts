import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { page } from "../support/docs.ts";
import { ROOT } from "../support/house.ts";

const TEXT = page("browser.md");
export const FOLDER = join(ROOT, "test/client/.docs");

/** The one block of docs/browser.md that holds a text. */
export function block(holding: string): string {
  const found = [...TEXT.matchAll(/```(?:ts|js)\n([\s\S]*?)```/g)]
    .map(([, code = ""]) => code)
    .filter((code) => code.includes(holding));
  if (found.length !== 1) throw new Error(`${found.length} blocks hold ${JSON.stringify(holding)}`);
  return found[0] as string;
}

/** The block under a heading of one framework. */
export function underHeading(name: string): string {
  const code = new RegExp(`#### ${name}\\n\\n\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(TEXT)?.[1];
  if (code === undefined) throw new Error(`no block under ${name}`);
  return code;
}

/** Imports a program made of blocks. */
export async function run(name: string, code: string): Promise<Record<string, unknown>> {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${name}.ts`);
  const imports = code.match(/^import .*;$/gm) ?? [];
  writeFileSync(file, `// @ts-nocheck\n${[...new Set(imports)].join("\n")}\n${code.replaceAll(/^import .*;$/gm, "")}`);
  return import(/* @vite-ignore */ file);
}

/** The same as a script for pages. `modules`: what stands for packages that are not here. */
export async function bundled(code: string, modules: Readonly<Record<string, string>> = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    format: "esm",
    write: false,
    plugins: [
      {
        name: "stand-ins",
        setup(its) {
          its.onResolve({ filter: /.*/ }, ({ path }) =>
            path in modules ? { path, namespace: "stand-in" } : undefined,
          );
          its.onLoad({ filter: /.*/, namespace: "stand-in" }, ({ path }) => ({ contents: modules[path] ?? "" }));
        },
      },
    ],
  });
  return outputFiles[0]?.text ?? "";
}

export const clean = (): void => rmSync(FOLDER, { recursive: true, force: true });

/** What a test adds to the CORS lines of a framework: a login, the ready routes, a guarded route; `start` listens. */
export const ROUTES: Readonly<Record<string, string>> = {
  Express: `import { expressJwt } from "jwt-extended/express";
    const { jwtRequired, getAuth, sendTokens, mount, errorHandler } = expressJwt(service);
    app.use("/auth", mount(jwtRoutes(service)));
    app.post("/login", async (_req, res) => sendTokens(res, await service.createTokenPair("ada")));
    app.all("/me", jwtRequired(), (req, res) => void res.json({ id: getAuth(req).identity }));
    app.use(errorHandler());
    export const start = () => listen(createServer(app));`,
  Fastify: `import { fastifyJwt } from "jwt-extended/fastify";
    const jwt = fastifyJwt(service);
    app.register(jwt.plugin);
    app.register(jwt.mount(jwtRoutes(service)), { prefix: "/auth" });
    app.post("/login", async (_request, reply) => jwt.sendTokens(reply, await service.createTokenPair("ada")));
    app.route({ ...jwt.jwtRequired(), method: ["GET", "POST"], url: "/me", handler: async (request) => ({ id: jwt.getAuth(request).identity }) });
    export const start = async () => ({ url: await app.listen({ port: 0 }), close: () => app.close() });`,
  Hono: `import { getRequestListener } from "@hono/node-server";
    import { honoJwt } from "jwt-extended/hono";
    const { jwtRequired, sendTokens, mount, errorHandler } = honoJwt(service);
    app.onError(errorHandler());
    app.use(mount(jwtRoutes(service), "/auth"));
    app.post("/login", async (c) => sendTokens(c, await service.createTokenPair("ada")));
    app.all("/me", jwtRequired(), (c) => c.json({ id: c.var.auth.identity }));
    export const start = () => listen(createServer(getRequestListener(app.fetch)));`,
  Koa: `import Router from "@koa/router";
    import { koaJwt } from "jwt-extended/koa";
    const { jwtRequired, getAuth, sendTokens, mount, errorHandler } = koaJwt(service);
    app.use(errorHandler());
    app.use(mount(jwtRoutes(service), "/auth"));
    const router = new Router();
    router.post("/login", async (ctx) => sendTokens(ctx, await service.createTokenPair("ada")));
    router.all("/me", jwtRequired(), (ctx) => { ctx.body = { id: getAuth(ctx).identity }; });
    app.use(router.routes());
    export const start = () => listen(createServer(app.callback()));`,
  Node: `import { nodeJwt } from "jwt-extended/node";
    const { jwtRequired, sendTokens, mount, errorHandler } = nodeJwt(service);
    const ready = mount(jwtRoutes(service), "/auth");
    const me = jwtRequired((_req, res, auth) => res.end(JSON.stringify({ id: auth.identity })));
    async function routes(req, res) {
      if (await ready(req, res)) return;
      if (req.url !== "/login") return me(req, res);
      const tokens = await service.createTokenPair("ada");
      await sendTokens(res, tokens).catch((error) => errorHandler()(error, req, res));
    }
    export const start = () => listen(server);`,
  Web: `import { getRequestListener } from "@hono/node-server";
    import { webJwt } from "jwt-extended/web";
    const { jwtRequired, sendTokens, mount, errorHandler } = webJwt(service);
    const ready = mount(jwtRoutes(service), "/auth");
    const me = jwtRequired((_request, auth) => Response.json({ id: auth.identity }));
    const routes = async (request) => {
      const answer = await ready(request);
      if (answer) return answer;
      if (new URL(request.url).pathname === "/login") return sendTokens(await service.createTokenPair("ada"), { request }).catch((error) => errorHandler()(error, request));
      return me(request);
    };
    export const start = () => listen(createServer(getRequestListener((request) => withCors(request, routes))));`,
};
