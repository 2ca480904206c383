import { type Command, Failure } from "./command.ts";
import { ENVIRONMENT_OPTIONS, loadEnvironment, needing, STORE_VARIABLES, TOKEN_VARIABLES } from "./configuration.ts";

export const serve: Command = {
  name: "serve",
  summary: "Runs the auth server: accounts, sessions, and a console in the browser.",
  takes: "",
  count: [0, 0],
  options: ENVIRONMENT_OPTIONS,
  notes: [
    TOKEN_VARIABLES,
    STORE_VARIABLES,
    "HOST, PORT, PUBLIC_ORIGIN, TRUSTED_PROXIES, ADMIN_USERNAME, ADMIN_PASSWORD, LOG_LEVEL and LOG_FORMAT say the rest.",
    "It ends on SIGTERM and SIGINT once requests under way have ended. With --json it writes its log as JSON lines.",
  ],
  async run(input, io) {
    loadEnvironment(input);
    const server = await needing(() => import("../auth-server/serve.ts"), io.env, "pino");
    if (!input.has("json")) return server.serve(io.env);
    let said = "";
    const stderr = { write: (text: string) => (said += text) };
    const code = await server.serve({ ...io.env, LOG_FORMAT: "json" }, { stdout: process.stdout, stderr });
    if (code !== 0) throw new Failure("cannot_start", said.trim());
    return code;
  },
};
