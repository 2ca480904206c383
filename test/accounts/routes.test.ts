import { describe, expect, it } from "vitest";
import { ADAPTERS } from "../support/harness/types.ts";
import { bearer, brief, PASSWORD, type Pair, startAccounts } from "./server.ts";

describe.each(ADAPTERS)("the routes of accounts through %s", (adapter) => {
  it("take a user from registration to logout", async () => {
    const server = await startAccounts({ adapter });
    try {
      const { register, login, get, post } = server;
      const first = await register("Ada");
      const me = await get("/me", bearer(first.access_token));
      expect([me.status, me.json()]).toMatchObject([
        200,
        { name: "ada", roles: [], id: expect.stringMatching(/^[\w-]{22}$/) },
      ]);

      const answer = await login("ADA");
      expect(answer.status).toBe(201);
      expect(answer.header("cache-control")).toEqual(["no-store"]);
      const second = answer.json() as Pair;
      const { sessions } = (await get("/sessions", bearer(second.access_token))).json() as {
        sessions: { current: boolean }[];
      };
      expect(sessions.map(({ current }) => current).sort()).toEqual([false, true]);

      const next = (await post("/refresh", { refresh_token: second.refresh_token })).json() as Pair;
      expect(brief(await get("/me", bearer(next.access_token)))).toBe("200 ok");
      expect((await server.ask("POST", "/logout-others", bearer(next.access_token))).status).toBe(204);
      expect(brief(await get("/me", bearer(first.access_token)))).toBe("401 token_revoked");
      expect((await server.ask("POST", "/logout", bearer(next.access_token))).status).toBe(204);
      expect(brief(await get("/me", bearer(next.access_token)))).toBe("401 token_revoked");
      expect(brief(await login("ada", "wrong password"))).toBe("401 invalid_credentials");
    } finally {
      await server.close();
    }
  });

  it("change a password, end all sessions and open a new one", async () => {
    const server = await startAccounts({ adapter });
    try {
      const { access_token } = await server.register("ada");
      const other = (await server.login("ada")).json() as Pair;
      const wanted = { currentPassword: PASSWORD, newPassword: "another good one" };
      const answer = await server.post("/password", wanted, bearer(access_token));
      expect(answer.status).toBe(200);
      const fresh = answer.json() as Pair;
      expect(brief(await server.get("/me", bearer(fresh.access_token)))).toBe("200 ok");
      for (const token of [access_token, other.access_token]) {
        expect(brief(await server.get("/me", bearer(token)))).toBe("401 token_revoked");
      }
      expect(brief(await server.post("/refresh", { refresh_token: other.refresh_token }))).toBe("401 session_ended");
      expect(brief(await server.login("ada"))).toBe("401 invalid_credentials");
      expect(brief(await server.login("ada", "another good one"))).toBe("201 ok");
    } finally {
      await server.close();
    }
  });
});
