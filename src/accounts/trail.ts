import { AsyncLocalStorage } from "node:async_hooks";
import type { EventClient, EventSubject } from "../events.ts";
import type { JwtReply, JwtRequest, Route } from "../http/types.ts";
import type { AnyManager } from "../routes/shared.ts";
import type { AuditFacts, Client, Recorder } from "./audit.ts";
import { plainText } from "./audit.ts";
import type { Asking } from "./secrets.ts";

/** A request of one of our routes, while its events are heard. */
interface Scene {
  readonly client: Client;
  /** Whether it is an exchange of a refresh token, whose refusals are recorded. */
  readonly isRefresh: boolean;
  /** Who acts on somebody else's account. */
  actor?: string;
  readonly writing: Promise<void>[];
}

/** Records what the manager tells, with the client of the request in which it happened. */
export interface Trail {
  /** A route whose events are recorded before it answers. */
  watched(route: Route): Route;
  /** Records something in the scene of the present request. */
  note(facts: AuditFacts): Promise<void>;
  /** From here on it is this administrator who acts. */
  actAs(actor: string): void;
}

/** Hears a manager from now on. Logins that the application opens by itself are recorded, too, as far as is known. */
export function createTrail(manager: AnyManager, recorder: Recorder, ask: Asking): Trail {
  const scenes = new AsyncLocalStorage<Scene>();
  const note = (facts: AuditFacts): Promise<void> => {
    const scene = scenes.getStore();
    const actor = scene?.actor === facts.subject ? undefined : scene?.actor;
    return recorder.record({ client: scene?.client, ...facts, ...(actor !== undefined && { actor }) });
  };
  /** Events are told while a request waits, so they are written meanwhile, and waited for before it is answered. */
  const write = (facts: AuditFacts): void => {
    const writing = note(facts);
    scenes.getStore()?.writing.push(writing);
  };
  /** Whose session it was: who ends one tells its name alone. */
  const ownerOf = async (session: string): Promise<string | null> => {
    const row = await ask(() => manager.config.store?.read(session)).catch(() => undefined);
    return row?.subject ?? null;
  };
  const shown = ({ userAgent, address }: EventClient): { client?: Client } =>
    userAgent === undefined && address === undefined
      ? {}
      : { client: { address: address ?? null, userAgent: userAgent === undefined ? null : plainText(userAgent) } };
  const who = ({ subject, sessionId }: EventSubject) => ({ subject: subject ?? null, session: sessionId ?? null });

  manager.on("issued", (event) => write({ kind: "login", outcome: "ok", ...who(event), ...shown(event) }));
  manager.on("refreshed", (event) => write({ kind: "refresh", outcome: "ok", ...who(event), ...shown(event) }));
  manager.on("suspicious", (event) => write({ kind: "race", outcome: "ok", ...who(event), ...shown(event) }));
  manager.on("reused", (event) => write({ kind: "reuse", outcome: "token_reused", ...who(event), ...shown(event) }));
  manager.on("revoked", (event) => {
    const { subject, session } = who(event);
    const owner = subject ?? (session === null ? null : ownerOf(session));
    write({ kind: "revoke", outcome: "ok", session, subject: owner, detail: event.grain });
  });
  manager.on("denied", (event) => {
    // A stolen token is recorded as such already.
    if (!scenes.getStore()?.isRefresh || event.code === "token_reused") return;
    write({ kind: "refresh", outcome: event.code, ...who(event) });
  });

  return {
    note,
    actAs(actor) {
      const scene = scenes.getStore();
      if (scene) scene.actor = actor;
    },
    watched(route) {
      const isRefresh = route.path === "/refresh";
      const handle = async (request: JwtRequest): Promise<JwtReply> => {
        const scene: Scene = { client: await recorder.clientOf(request), isRefresh, writing: [] };
        const reply = await scenes.run(scene, async () => route.handle(request));
        await Promise.all(scene.writing);
        return reply;
      };
      return { ...route, handle };
    },
  };
}
