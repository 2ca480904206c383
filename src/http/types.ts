import type { MaybePromise } from "../types.ts";

/** A request as every room sees it. Adapters build it lazily: nothing is read before it is asked for. */
export interface JwtRequest {
  /** As received, normally upper case. */
  readonly method: string;
  /** Path and query as received, undecoded. */
  readonly url: string;
  /** The address of whoever is connected, be it a client or a proxy; absent where the adapter cannot tell. */
  readonly address?: string | undefined;
  /** All lines of a header, in order; `[]` when absent. The name is given in lower case. */
  header(name: string): readonly string[];
  /** The body, read at most once. */
  body(): Promise<ReadBody>;
}

/** What became of a request's body. */
export type ReadBody =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "form"; first(name: string): string | undefined }
  | { readonly kind: "none"; readonly why: "absent" | "type" | "unparsable" | "consumed" | "too_large" };

/** An answer before a framework sends it. `body` is sent as JSON, a `Uint8Array` as it stands; absent means an empty body. */
export interface JwtReply {
  readonly status: number;
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body?: unknown;
}

/** A ready route that any adapter can mount. */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  handle(request: JwtRequest): MaybePromise<JwtReply>;
}
