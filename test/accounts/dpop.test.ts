import { afterEach, expect, it } from "vitest";
import { keyHolder, ORIGIN } from "../support/dpop.ts";
import { bearer, brief, PASSWORD, type Pair, type Running, startAccounts } from "./server.ts";

let running: Running | undefined;
afterEach(() => running?.close());
const start = async (dpop: object = {}): Promise<Running> => {
  running = await startAccounts({ manager: { publicOrigin: ORIGIN, dpop: { leeway: 5, ...dpop } } });
  return running;
};
const proofOf = (holder: ReturnType<typeof keyHolder>, path: string): [string, string] => [
  "DPoP",
  holder.proof("POST", `/auth${path}`),
];

it("binds registration and login to the key of the client, and the tokens stay with it", async () => {
  const { post, get, ask } = await start();
  const ada = keyHolder();
  const made = await post("/register", { username: "ada", password: PASSWORD }, proofOf(ada, "/register"));
  expect([made.status, (made.json() as { token_type: string }).token_type]).toEqual([201, "DPoP"]);

  const login = await post("/login", { username: "ada", password: PASSWORD }, proofOf(ada, "/login"));
  const { access_token: access, refresh_token: refresh } = login.json() as Pair;
  expect(brief(await get("/me", ...ada.lines(access, "GET", "/auth/me")))).toBe("200 ok");
  expect((await get("/me", bearer(access))).status).toBe(401);
  expect((await get("/me", ...keyHolder().lines(access, "GET", "/auth/me"))).status).toBe(401);

  const stolen = keyHolder();
  expect((await ask("POST", "/refresh", ...stolen.lines(refresh, "POST", "/auth/refresh"))).status).toBe(401);
  const next = await ask("POST", "/refresh", ...ada.lines(refresh, "POST", "/auth/refresh"));
  expect([next.status, (next.json() as { token_type: string }).token_type]).toEqual([200, "DPoP"]);
});

it("keeps the new session of a changed password with the same key", async () => {
  const { post, get } = await start();
  const ada = keyHolder();
  await post("/register", { username: "ada", password: PASSWORD }, proofOf(ada, "/register"));
  const login = await post("/login", { username: "ada", password: PASSWORD }, proofOf(ada, "/login"));
  const { access_token: access } = login.json() as Pair;
  const passwords = { currentPassword: PASSWORD, newPassword: "another good one" };
  const changed = await post("/password", passwords, ...ada.lines(access, "POST", "/auth/password"));
  expect(changed.status).toBe(200);
  const { access_token: later } = changed.json() as Pair;
  expect((await get("/me", bearer(later))).status).toBe(401);
  expect(brief(await get("/me", ...ada.lines(later, "GET", "/auth/me")))).toBe("200 ok");
  expect((await get("/me", ...ada.lines(access, "GET", "/auth/me"))).status).toBe(401);
});

it("lets nobody in without a proof where one is required, or with that of another request, and leaves no row then", async () => {
  const { post } = await start({ required: true });
  const ada = keyHolder();
  const user = { username: "ada", password: PASSWORD };
  expect(brief(await post("/register", user))).toBe("401 dpop_proof_missing");
  // The name would be taken if that had left a row.
  expect((await post("/register", user, proofOf(ada, "/register"))).status).toBe(201);
  expect(brief(await post("/login", user))).toBe("401 dpop_proof_missing");
  for (const path of ["/register", "/elsewhere"])
    expect(brief(await post("/login", user, proofOf(ada, path)))).toBe("401 dpop_proof_invalid");
});
