import { claimsOf, type Pair, type Running } from "./server.ts";
import { Browser } from "./visitor.ts";

type Line = readonly [string, string];

/** The two ways in which a client carries its tokens. */
export const MODES = ["bearer", "cookie"] as const;
export type Mode = (typeof MODES)[number];

/** Somebody who is logged in. */
export interface Client {
  readonly access: string;
  readonly refresh: string;
  /** All that must never stand where it does not belong: tokens, and in cookie mode the CSRF values. */
  readonly secrets: readonly string[];
  /** The lines that a request of this client carries, with the CSRF value where there is one. */
  lines(kind?: "access" | "refresh"): Line[];
}

export const PASSWORD = "a password of attacks";

/** Logs somebody in, whose account is made where there is none. */
export async function signIn(server: Running, mode: Mode, username: string, password = PASSWORD): Promise<Client> {
  await server.post("/register", { username, password });
  if (mode === "bearer") {
    const pair = (await server.post("/login", { username, password })).json() as Pair;
    const { access_token: access, refresh_token: refresh } = pair;
    const lines = (kind = "access"): Line[] => [["Authorization", `Bearer ${kind === "access" ? access : refresh}`]];
    return { access, refresh, secrets: [access, refresh], lines };
  }
  const browser = new Browser(server);
  const answer = await browser.send("POST", "/login", { username, password, via: "cookies" });
  if (answer.status !== 201) throw new Error(`the login was refused: ${answer.text}`);
  return {
    access: browser.cookie("access_token"),
    refresh: browser.cookie("refresh_token"),
    secrets: [...browser.cookies.values()],
    lines: (kind = "access") => [
      ["Cookie", browser.line()],
      ["X-CSRF-TOKEN", browser.cookie(`csrf_${kind}`)],
      ["Sec-Fetch-Site", "same-origin"],
    ],
  };
}

/** The id of the user behind a client. */
export const subjectOf = ({ access }: Client): string => String(claimsOf(access).sub);
