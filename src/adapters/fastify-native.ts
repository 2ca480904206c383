import type { IncomingMessage, ServerResponse } from "node:http";
import type { JwtReply } from "../http/types.ts";
import { encodeReply, isListHeader } from "./face.ts";

/** Any Fastify request. */
export interface FastifyRequestLike {
  readonly originalUrl: string;
  readonly raw: object;
}
/** Any Fastify reply. */
export interface FastifyReplyLike {
  readonly sent: boolean;
  readonly raw: object;
}

/** Goes on, or ends in the error handler. */
export type Done = (error?: Error) => void;
/** A hook in callback style: the ambient context lives as long as what `done` calls. */
export type Hook = (request: FastifyRequestLike, reply: FastifyReplyLike, done: Done) => void;
/** What plugins use of a Fastify instance. */
export interface FastifyLike {
  // biome-ignore lint/suspicious/noExplicitAny: Fastify's own types are generic in ways that need not concern us
  addHook(name: any, hook: any): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  setErrorHandler(handler: any): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  route(options: any): unknown;
  removeAllContentTypeParsers(): void;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  addContentTypeParser(type: string, parser: any): unknown;
}
/** A plugin as `app.register` takes it. */
export type Plugin = (instance: FastifyLike, options: object, done: Done) => void;

/** What is used of a Fastify request. */
export type NativeRequest = FastifyRequestLike & {
  readonly raw: IncomingMessage;
  body?: unknown;
  readonly routeOptions?: { readonly config?: { readonly jwtPublic?: boolean } };
};
/** What is used of a Fastify reply. */
export type NativeReply = FastifyReplyLike & {
  readonly raw: ServerResponse;
  readonly request: NativeRequest;
  statusCode: number;
  locals?: object;
  getHeader(name: string): string | number | string[] | undefined;
  header(name: string, value: string | string[]): unknown;
  send(body?: unknown): unknown;
};

/** Adds header lines; a header that can have but one value is replaced. */
export function append(native: FastifyReplyLike, headers: JwtReply["headers"]): void {
  const reply = native as NativeReply;
  for (const [name, value] of headers) {
    // Fastify itself adds lines for Set-Cookie alone.
    const old = isListHeader(name) && name.toLowerCase() !== "set-cookie" ? reply.getHeader(name) : undefined;
    reply.header(name, old === undefined ? value : [...[old].flat().map(String), value]);
  }
}

/** Sends a whole answer, unless something else has answered meanwhile. */
export function send(native: FastifyReplyLike, answer: JwtReply): void {
  const reply = native as NativeReply;
  if (reply.sent || reply.raw.headersSent) return;
  const { headers, body } = encodeReply(answer);
  reply.statusCode = answer.status;
  append(reply, headers);
  // Bytes pass the route's own serializer and response schema by.
  reply.send(typeof body === "string" ? Buffer.from(body) : body);
}

/** Leaves the bodies of a scope unread, for routes that read them themselves and answer alike in all frameworks. */
export function leaveBodies(instance: FastifyLike): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser("*", (_request: unknown, _payload: unknown, done: (error: null) => void) => done(null));
}

/** Makes a plugin speak for the scope it is registered in. */
export const forParent = (plugin: Plugin): Plugin => Object.assign(plugin, { [Symbol.for("skip-override")]: true });
