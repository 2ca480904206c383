import { beforeAll, describe, expect, it } from "vitest";
import { claimsOf, type Pair, type Running, startServer } from "./server.ts";
import { Browser } from "./visitor.ts";

const PASSWORD = "a password of modes";

let server: Running;
beforeAll(async () => {
  server = await startServer();
});

describe("with cookies", () => {
  it("goes from the sign-up to the sign-out, and no token ever stands in a body", async () => {
    const page = new Browser(server);
    const bodies: string[] = [];
    const ask = async (...asked: Parameters<Browser["send"]>): Promise<[number, unknown]> => {
      const answer = await page.send(...asked);
      bodies.push(answer.text);
      return [answer.status, answer.text === "" ? undefined : answer.json()];
    };
    const user = { username: "carla", password: PASSWORD, via: "cookies" };
    expect((await ask("POST", "/register", user))[0]).toBe(201);
    expect(await ask("GET", "/protected")).toEqual([200, { logged_in_as: "carla" }]);
    expect(await ask("GET", "/fresh")).toEqual([200, { logged_in_as: "carla", fresh: true }]);
    expect(await ask("GET", "/token")).toMatchObject([200, { claims: { type: "access", fresh: true } }]);
    const before = page.cookie("access_token");
    expect((await ask("POST", "/refresh", undefined, "refresh"))[0]).toBe(200);
    expect(page.cookie("access_token")).not.toBe(before);
    expect(await ask("GET", "/fresh")).toMatchObject([401, { code: "token_not_fresh" }]);
    const [, listed] = await ask("GET", "/sessions");
    expect((listed as { sessions: unknown[] }).sessions).toHaveLength(1);
    const change = { currentPassword: PASSWORD, newPassword: "quite another one" };
    expect(await ask("POST", "/password", change)).toMatchObject([403, { code: "csrf_missing" }]);
    expect((await ask("POST", "/password", change, "access"))[0]).toBe(200);
    expect(await ask("GET", "/protected")).toEqual([200, { logged_in_as: "carla" }]);
    expect((await ask("POST", "/logout", undefined, "access"))[0]).toBe(204);
    expect([page.cookie("access_token"), page.cookie("refresh_token")]).toEqual(["", ""]);
    expect(await ask("GET", "/protected")).toMatchObject([401, { code: "token_missing" }]);
    expect(bodies.join("\n")).not.toContain("eyJ");
  });

  it("refuses pages of other sites, and requests without the CSRF value", async () => {
    const page = new Browser(server);
    await page.send("POST", "/register", { username: "carl", password: PASSWORD, via: "cookies" });
    for (const path of ["/logout", "/logout-all", "/refresh"]) {
      const answer = await page.send("POST", path);
      expect([path, answer.status, answer.json()]).toMatchObject([path, 403, { code: "csrf_missing" }]);
    }
    const headers = [
      ["Cookie", page.line()],
      ["X-CSRF-TOKEN", page.cookie("csrf_access")],
      ["Origin", "https://evil.example"],
      ["Sec-Fetch-Site", "cross-site"],
    ] as const;
    const foreign = await server.send({ method: "POST", path: "/logout", headers });
    expect([foreign.status, foreign.json()]).toMatchObject([403, { code: "csrf_origin" }]);
    expect((await page.send("GET", "/protected")).status).toBe(200);
  });
});

describe("with tokens in the body", () => {
  it("sets no token cookie, and one client's way is nothing to another's", async () => {
    const answer = await server.post("/register", { username: "bea", password: PASSWORD });
    expect(answer.setCookies.map((line) => line.slice(0, line.indexOf("=")))).toEqual(["device"]);
    const pair = answer.json() as Pair;
    expect((await server.ask("GET", "/me", pair.access_token)).json()).toMatchObject({
      id: claimsOf(pair.access_token).sub,
      name: "bea",
      roles: [],
    });
    const page = new Browser(server);
    await page.send("POST", "/login", { username: "bea", password: PASSWORD, via: "cookies" });
    const listed = (await server.ask("GET", "/sessions", pair.access_token)).json() as { sessions: unknown[] };
    expect(listed.sessions).toHaveLength(2);
    expect((await server.ask("POST", "/logout-others", pair.access_token)).status).toBe(204);
    expect((await page.send("GET", "/protected")).status).toBe(401);
    expect((await server.ask("GET", "/protected", pair.access_token)).status).toBe(200);
  });
});
