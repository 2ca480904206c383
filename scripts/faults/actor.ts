import type { TokenPair, TokenStore } from "../../src/index.ts";
import { openStore, type Place } from "./places.ts";
import { type Answer, answer, bringing, claimsOf, type Login, makeManager } from "./tokens.ts";

/** The places between the steps of an operation at which a process may be caught. */
export const STEPS = ["before the store", "after the store", "before the answer"] as const;
export type Step = (typeof STEPS)[number];

/** A process that logs in, refreshes, logs out and checks: this one, or a child. */
export interface Actor {
  login(subject: string): Promise<Answer>;
  /** Presents one refresh token several times at once. */
  refresh(token: string, times?: number): Promise<readonly Answer[]>;
  logout(sid: string): Promise<Answer>;
  revokeAll(subject: string): Promise<Answer>;
  /** `ok` where a guard lets an access token pass. */
  check(access: string): Promise<Answer>;
  /** The live sessions of a subject. */
  sessions(subject: string): Promise<number>;
  close(): Promise<void>;
}

/** An actor of this process. `reach` is called at each step of a refresh or a logout, and waited for. */
export function localActor(place: Place, reach: (step: Step) => unknown = () => {}): Actor {
  const opened = openStore(place);
  const manager = makeManager(stepped(opened.store, reach));
  const loginOf = (pair: TokenPair): Login => {
    const refresh = pair.refresh_token;
    return { access: pair.access_token, refresh, sid: claimsOf(refresh).sid as string };
  };
  const refreshOnce = (token: string): Promise<Answer> =>
    answer(async () => {
      const login = loginOf(await manager.refreshTokenPair(token));
      await reach("before the answer");
      return login;
    });
  return {
    login: (subject) => answer(async () => loginOf(await manager.createTokenPair(subject))),
    refresh: (token, times = 1) => Promise.all(Array.from({ length: times }, () => refreshOnce(token))),
    logout: (sid) =>
      answer(async () => {
        await manager.revokeSession(sid);
        await reach("before the answer");
        return undefined;
      }),
    revokeAll: (subject) => answer(() => manager.revokeSubject(subject).then(() => undefined)),
    check: (access) => answer(() => manager.verifyRequest(bringing(access)).then(() => undefined)),
    sessions: async (subject) => (await manager.listSessions(subject)).length,
    close: () => opened.close(),
  };
}

/** The store, with a step before and after what exchanges or ends something. */
function stepped(store: TokenStore, reach: (step: Step) => unknown): TokenStore {
  const around =
    <Asked, Told>(call: (asked: Asked) => Told | Promise<Told>) =>
    async (asked: Asked): Promise<Told> => {
      await reach("before the store");
      const told = await call(asked);
      await reach("after the store");
      return told;
    };
  return {
    ...store,
    rotate: around((presented) => store.rotate(presented)),
    revoke: around((revocation) => store.revoke(revocation)),
  };
}
