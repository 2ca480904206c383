import { jwtRoutes } from "jwt-extended";
import { afterEach, expect, it, vi } from "vitest";
import { act, who } from "../support/answers.ts";
import { page } from "../support/docs.ts";
import { ORIGIN } from "../support/dpop.ts";
import { nodeHarness } from "../support/harness/node.ts";
import { managerOf, serving } from "../support/serve.ts";

type Call = (method: string, url: string, token?: string, body?: object) => Promise<Response>;

/** The client of docs/dpop.md, as a reader would copy it. */
async function clientOfThePage(): Promise<Call> {
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(page("dpop.md")) ?? [];
  const module = `data:text/javascript,${encodeURIComponent(`${code}\nexport { call };`)}`;
  return ((await import(/* @vite-ignore */ module)) as { call: Call }).call;
}

afterEach(() => vi.unstubAllGlobals());

it.each([false, true])("the client of docs/dpop.md works, with nonces: %s", async (nonces) => {
  const call = await clientOfThePage();
  const manager = managerOf({ publicOrigin: ORIGIN, dpop: { required: true, nonces } });
  const login = act("/login", async (tools) =>
    tools.sendTokens(await manager.createTokenPair("ada", { jkt: await tools.verifyDpopProof() })),
  );
  const ready = { routes: jwtRoutes(manager), prefix: "/auth" };
  await serving(nodeHarness, manager, [login, who()], { ready }, async ({ url }) => {
    // The name of the service leads to the server of this test.
    const { fetch } = globalThis;
    vi.stubGlobal("fetch", (to: string, init: RequestInit) => fetch(to.replace(ORIGIN, url), init));
    const pair = await (await call("POST", `${ORIGIN}/login`, undefined, { username: "ada" })).json();
    expect(pair).toMatchObject({ token_type: "DPoP" });
    const me = await call("GET", `${ORIGIN}/me?page=2`, pair.access_token);
    expect([me.status, await me.json()]).toMatchObject([200, { id: "ada" }]);
    const next = await (await call("POST", `${ORIGIN}/auth/refresh`, pair.refresh_token)).json();
    expect((await call("GET", `${ORIGIN}/me`, next.access_token)).status).toBe(200);
    const out = await call("POST", `${ORIGIN}/auth/logout`, next.access_token);
    expect([out.status, (await call("GET", `${ORIGIN}/me`, next.access_token)).status]).toEqual([204, 401]);
  });
});
