import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { entries, specifierOf } from "./entries.ts";
import { tool } from "./project.ts";

/** How a consumer may resolve us, each with the libraries it would have. */
const RESOLUTIONS = {
  NodeNext: { module: "NodeNext", moduleResolution: "NodeNext", lib: ["ES2022"] },
  bundler: { module: "ESNext", moduleResolution: "bundler", lib: ["ES2022", "DOM", "DOM.Iterable"] },
} as const;

export type Resolution = keyof typeof RESOLUTIONS;
export const resolutions = Object.keys(RESOLUTIONS) as Resolution[];

/** The entries whose declarations name the types of a framework. */
export const TYPED_BY_FRAMEWORK: readonly string[] = ["./hono", "./nest"];

/** The entries that load a third party, which their users install; all others need nothing. */
export const NEEDS_PEERS: readonly string[] = ["./sqlite", "./postgres", "./mysql", "./accounts"];

/** Type-checks files of a project, our own declarations included. */
export async function typechecks(folder: string, resolution: Resolution, files: readonly string[]): Promise<void> {
  const path = join(folder, `tsconfig.${resolution}.json`);
  const compilerOptions = {
    ...RESOLUTIONS[resolution],
    target: "ES2022",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(path, JSON.stringify({ compilerOptions, files }));
  await tool("typescript/bin/tsc", ["-p", path], folder);
  rmSync(path);
}

/** A consumer that loads the entries and leans on the types a user relies on. */
export function writeConsumer(folder: string, name: string, wanted: (entry: string) => boolean): void {
  const loaded = entries.map(([entry]) => entry).filter(wanted);
  const imports = loaded.map((entry, i) => `import * as entry${i} from "${specifierOf(entry)}";`);
  const used = `export const all: readonly object[] = [${loaded.map((_, i) => `entry${i}`).join(", ")}];`;
  writeFileSync(join(folder, name), `${imports.join("\n")}\n${used}\n${CONSUMER}`);
}

const CONSUMER = `
import { JWTManager, type AuthContext } from "jwt-extended";

const jwt = new JWTManager({ secretKey: undefined });
export const token: Promise<string> = jwt.createAccessToken("ada", { fresh: true, expires: "15m" });
export const identity = (auth: AuthContext): string => auth.identity;

// @ts-expect-error an identity is text unless the loader userIdentity takes something else
void jwt.createAccessToken(7);
// @ts-expect-error there is no such option
void new JWTManager({ secretKye: "x" });
`;
