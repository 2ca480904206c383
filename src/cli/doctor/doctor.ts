import { readFileSync } from "node:fs";
import { codeOf } from "../../auth-server/faults.ts";
import { type Command, Failure, type Input, WrongUsage } from "../command.ts";
import { ENVIRONMENT_OPTIONS, loadEnvironment, STORE_VARIABLES, TOKEN_VARIABLES } from "../configuration.ts";
import { examineAddress, type Places } from "./address.ts";
import { examineConfiguration } from "./configuration.ts";
import { type Finding, skipped } from "./finding.ts";
import { webAddress } from "./origin.ts";
import { examineStores } from "./stores.ts";

/** The variables that say that there is a configuration to judge. */
const OURS = /^(JWT_|DATABASE_URL|DATABASE_FILE|REDIS_URL|PUBLIC_ORIGIN)/;

export const doctor: Command = {
  name: "doctor",
  summary: "Looks for faults in a configuration and at a running address, and names what mends each.",
  takes: "[URL]",
  count: [0, 1],
  options: {
    guarded: { type: "string", value: "PATH", default: "/protected", says: "A path that asks for a token." },
    jwks: {
      type: "string",
      value: "PATH",
      default: "/.well-known/jwks.json",
      says: "Where public keys are published.",
    },
    login: { type: "string", value: "PATH", says: "Log in here once, to judge the cookies that it sets." },
    credentials: { type: "string", value: "FILE", says: "The JSON to send there, with a password." },
    ...ENVIRONMENT_OPTIONS,
  },
  notes: [
    TOKEN_VARIABLES,
    STORE_VARIABLES,
    "PUBLIC_ORIGIN is the origin that the flags of cookies are judged against.",
    "With a URL and none of these variables it looks at the address alone. Only a fault ends it with 1, a warning does not.",
    "The session that --login opens stays until it expires.",
  ],
  async run(input, { env }) {
    loadEnvironment(input);
    const places = placesOf(input);
    const isConfigured = Object.keys(env).some((name) => OURS.test(name)) || !places;
    const areas: Record<string, readonly Finding[]> = {};
    if (isConfigured) {
      const configuration = await examineConfiguration(env);
      areas.configuration = configuration.findings;
      areas.store = await examineStores(configuration.env);
    } else areas.configuration = [skipped("configuration", "No variable of jwt-extended is set here.")];
    if (places) areas.address = await examineAddress(places);
    return report(areas);
  },
};

function placesOf(input: Input): Places | undefined {
  const [url] = input.args;
  const [path, file] = [input.text("login"), input.text("credentials")];
  if ((path === undefined) !== (file === undefined))
    throw new WrongUsage("--login and --credentials only work together.");
  if (url === undefined) {
    if (path !== undefined) throw new WrongUsage("--login needs the URL of a running server.");
    return undefined;
  }
  const address = webAddress(url);
  if (!address) throw new WrongUsage("The URL must begin with http:// or https://, without a name and password in it.");
  const [guarded, jwks] = ["guarded", "jwks"].map((name) => input.text(name) as string) as [string, string];
  for (const each of [guarded, jwks, path ?? "/"]) {
    if (!/^\/(?![/\\])/.test(each)) throw new WrongUsage("Paths begin with one slash.");
  }
  const login = path === undefined ? undefined : { path, body: bodyOf(file as string) };
  return { address, guarded, jwks, login };
}

function bodyOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure("file_unreadable", `${file} cannot be read (${codeOf(error)}).`);
  }
}

const MARKS = { ok: "ok", fault: "FAULT", warning: "warning", skipped: "skipped" } as const;

function report(areas: Readonly<Record<string, readonly Finding[]>>) {
  const findings = Object.entries(areas).flatMap(([area, found]) => found.map((finding) => ({ area, ...finding })));
  const count = (level: Finding["level"]): number => findings.filter((finding) => finding.level === level).length;
  const [faults, warnings] = [count("fault"), count("warning")];
  const lines = Object.entries(areas).flatMap(([area, found]) => [
    area,
    ...found.flatMap(({ check, level, says, mend }) => [
      `  ${MARKS[level].padEnd(7)}  ${check}: ${says}`,
      ...(mend === undefined ? [] : [`           ${mend}`]),
    ]),
  ]);
  const sum = `${faults} ${faults === 1 ? "fault" : "faults"}, ${warnings} ${warnings === 1 ? "warning" : "warnings"}`;
  return { ok: faults === 0, json: { faults, warnings, findings }, text: [...lines, "", sum].join("\n") };
}
