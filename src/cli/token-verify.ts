import { isJwtError, isRefusal, type JwtError } from "../errors.ts";
import type { JwtRequest } from "../http/types.ts";
import type { GuardOptions } from "../types.ts";
import { type Command, Failure, type Outcome, WrongUsage } from "./command.ts";
import {
  ENVIRONMENT_OPTIONS,
  environmentOf,
  managerOf,
  openStores,
  STORE_VARIABLES,
  TOKEN_VARIABLES,
} from "./configuration.ts";
import { readToken, TOKEN_NOTE, TOKEN_OPTIONS } from "./token-input.ts";
import { timesOf } from "./token-inspect.ts";

const TYPES: Readonly<Record<string, GuardOptions>> = {
  any: { verifyType: false },
  access: {},
  refresh: { refresh: true },
};

export const tokenVerify: Command = {
  name: "token verify",
  summary: "Tells whether a guard lets a token pass.",
  takes: "[TOKEN]",
  count: [0, 1],
  options: {
    ...TOKEN_OPTIONS,
    type: { type: "string", value: "access|refresh|any", default: "any", says: "The kind of token that is wanted." },
    fresh: { type: "boolean", says: "It must be fresh." },
    store: { type: "boolean", says: "Ask the store, too, whether it is revoked." },
    ...ENVIRONMENT_OPTIONS,
  },
  notes: [TOKEN_NOTE, TOKEN_VARIABLES, `${STORE_VARIABLES} They are asked with --store only.`],
  async run(input, io) {
    const type = TYPES[input.text("type") ?? ""];
    if (!type) throw new WrongUsage("--type must be access, refresh or any.");
    const guard = { ...type, fresh: input.has("fresh"), locations: "headers" as const };
    const token = await readToken(input, io);
    const env = environmentOf(input, io);
    if (!input.has("store")) return verdict(managerOf(env, null), token, guard);
    const { stores } = await openStores(env, { migrate: false });
    try {
      return await verdict(managerOf(env, stores.store), token, guard);
    } finally {
      await stores.close();
    }
  },
};

async function verdict(manager: ReturnType<typeof managerOf>, token: string, guard: GuardOptions): Promise<Outcome> {
  const { tokenHeader, headerType } = manager.config;
  const line = headerType === "" ? token : `${headerType} ${token}`;
  const request: JwtRequest = {
    method: "GET",
    url: "/",
    header: (name) => (name === tokenHeader ? [line] : []),
    body: async () => ({ kind: "none", why: "absent" }),
  };
  try {
    const { header, claims } = await manager.verifyRequest(request, guard as never);
    return {
      ok: true,
      json: { valid: true, header, claims },
      text: ["The token is good.", JSON.stringify(claims, null, 2), ...timesOf(claims ?? {}, Date.now())].join("\n"),
    };
  } catch (error) {
    if (!isJwtError(error)) throw error;
    const { code, message } = error;
    if (isRefusal(error)) return refused(error);
    throw new Failure(code, message);
  }
}

const refused = ({ code, message, detail }: JwtError): Outcome => ({
  ok: false,
  json: { valid: false, error: { code, message, detail } },
  text: `The token is refused: ${message}${detail === undefined ? "" : ` (${detail})`} [${code}].`,
});
