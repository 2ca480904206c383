import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

export type Tag =
  | "original-crashes"
  | "misconfiguration"
  | "misuse"
  | "python-json"
  | "python-format"
  | "python-number"
  | "jose-header"
  | "strict-base64"
  | "multipart"
  | "quoted-cookie"
  | "js-proto"
  | "unsafe-original"
  | "latin1-header"
  | "not-text";

/** SPEC, section 3. */
export interface StepRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly cookies?: Readonly<Record<string, string>>;
  readonly json?: Json;
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** SPEC, section 4.2. */
export interface ExpectedCookie {
  readonly name: string;
  readonly value: string;
  readonly path?: string;
  readonly domain?: string;
  readonly max_age?: number;
  readonly expires?: string;
  readonly secure?: true;
  readonly httponly?: true;
  readonly samesite?: string;
}

/** A key by its text or by its file. */
export type VerifyKey = { readonly secret: string } | { readonly file: string };

/** SPEC, section 4.3. */
export interface ExpectedToken {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly verify_key: VerifyKey | null;
}

/** SPEC, section 4.1, without the members that only inform. */
export interface Expectation {
  readonly status: number;
  readonly json?: Json;
  readonly empty_body?: true;
  readonly set_cookies?: readonly ExpectedCookie[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly minted?: ExpectedToken;
  readonly text_from?: "extension" | "callback" | "pyjwt" | "werkzeug" | "python";
}

export interface Step {
  readonly at: number;
  readonly note?: string;
  readonly request: StepRequest;
  readonly expect: Expectation;
}

export interface Scenario {
  readonly id: string;
  readonly about: string;
  readonly config: JsonObject;
  readonly callbacks: Readonly<Record<string, string>>;
  readonly tags?: readonly Tag[];
  readonly steps: readonly Step[];
}

export interface Group {
  readonly group: string;
  readonly scenarios: readonly Scenario[];
}

/** SPEC, section 8. */
export interface InteropToken {
  readonly id: string;
  readonly about: string;
  readonly at: number;
  readonly config: JsonObject;
  readonly algorithm: string;
  readonly verify_key: VerifyKey | null;
  readonly token: string;
  readonly expect:
    | { readonly ok: true; readonly header: JsonObject; readonly claims: JsonObject }
    | { readonly ok: false };
}

/** Gives the text of a key file. */
export type KeyReader = (name: string) => string;

export interface Corpus {
  readonly groups: readonly Group[];
  readonly interop: readonly InteropToken[];
  readonly key: KeyReader;
}

const OWN: string = fileURLToPath(new URL(".", import.meta.url));

/** Reads a folder of the corpus format; keys that it does not bring are those of this folder. */
export function readCorpus(folder: string = OWN): Corpus {
  const groups: Group[] = [];
  let interop: readonly InteropToken[] = [];
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".json")) continue;
    const content = JSON.parse(readFileSync(join(folder, name), "utf8")) as Record<string, unknown>;
    if (content.format !== 1) throw new Error(`${name}: "format" is not 1`);
    if (Array.isArray(content.scenarios)) groups.push(content as unknown as Group);
    else if (Array.isArray(content.tokens)) interop = [...interop, ...(content.tokens as InteropToken[])];
    else throw new Error(`${name}: neither scenarios nor tokens`);
  }
  const texts = new Map<string, string>();
  const key: KeyReader = (name) => {
    let text = texts.get(name);
    if (text === undefined) {
      const path = [join(folder, "keys", name), join(OWN, "keys", name)].find((candidate) => existsSync(candidate));
      if (path === undefined) throw new Error(`key file ${name} is missing`);
      text = readFileSync(path, "utf8");
      texts.set(name, text);
    }
    return text;
  };
  return { groups, interop, key };
}

/** A configuration in which `file:name` has become the text of that key file. */
export function resolveConfig(config: JsonObject, key: KeyReader): JsonObject {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [
      name,
      typeof value === "string" && value.startsWith("file:") ? key(value.slice("file:".length)) : value,
    ]),
  );
}
