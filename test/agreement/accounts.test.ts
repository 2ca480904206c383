import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { running } from "../examples/play.ts";
import { moduleOf, page } from "../support/docs.ts";
import { ROOT } from "../support/house.ts";
import { send } from "../support/http.ts";
import { bearer, JSON_TYPE } from "../support/serve.ts";

const FOLDER = join(ROOT, "test/agreement/.accounts");
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

/** What the page leaves to the reader: rows in the table of one's own, all of its accounts at an address each, a port. */
const MORE = `
rows.set("1", { id: "1", name: "bea", roles: [], disabled: false, createdAt: 0, version: 0, pending: false,
  passwordHash: await hash("a password of a row") });
const offered = { "/behind": behind, "/counting": counting, "/logged": logged, "/own": own };
for (const [prefix, accounts] of Object.entries(offered)) {
  const manager = new JWTManager({ secretKey: process.env.JWT_SECRET_KEY, loaders: accounts.loaders });
  app.use(prefix, expressJwt(manager).mount(accounts.routes(manager)));
}
app.listen(5000);
`;

it("docs/accounts.md is a program that does what the page says", { timeout: 60_000 }, async () => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const text = page("accounts.md")
    // Both are mounted here, at addresses of their own; and no Redis listens at its usual port.
    .replace('app.use("/auth", expressJwt(tokens)', 'app.use("/plugged", expressJwt(tokens)')
    .replace("redisLimits(new Redis())", "redisLimits(new Redis({ lazyConnect: true, enableOfflineQueue: false }))");
  writeFileSync(join(FOLDER, "server.ts"), `import { hash } from "@node-rs/argon2";\n${moduleOf(text, MORE)}`);
  const env = { ADMIN_PASSWORD: "a password of the root", TSX_TSCONFIG_PATH: join(ROOT, "tsconfig.json") };
  await running("server.ts", { cwd: FOLDER, env }, async (url) => {
    const post = async (path: string, body: object): Promise<[number, Record<string, string>]> => {
      const answer = await send(url, { method: "POST", path, headers: [JSON_TYPE], body: JSON.stringify(body) });
      return [answer.status, answer.json() as Record<string, string>];
    };
    const get = async (path: string, token = ""): Promise<[number, unknown]> => {
      const answer = await send(url, { path, headers: [bearer(token)] });
      return [answer.status, answer.json()];
    };
    const ada = { username: "ada", password: "a password of a page" };
    const [status, pair] = await post("/auth/register", ada);
    expect(status).toBe(201);
    expect(await get("/protected", pair.access_token)).toEqual([200, { logged_in_as: "ada" }]);
    const [, root] = await post("/auth/login", { username: "root", password: env.ADMIN_PASSWORD });
    expect(await get("/auth/admin/users", root.access_token)).toMatchObject([200, { users: [{ name: "ada" }, {}] }]);
    // The same users, seen by managers of their own; without its Redis nobody gets in.
    for (const prefix of ["/behind", "/logged"]) expect((await post(`${prefix}/login`, ada))[0]).toBe(201);
    expect(await post("/counting/login", ada)).toMatchObject([503, { code: "store_unavailable" }]);
    expect((await post("/own/login", { username: "bea", password: "a password of a row" }))[0]).toBe(201);
    expect((await send(url, { method: "POST", path: "/own/register" })).status).toBe(404);
    const [, plugged] = await post("/plugged/login", { username: "ada", password: "check its hash here" });
    expect((await get("/plugged/me", plugged.access_token))[0]).toBe(200);
  });
});
