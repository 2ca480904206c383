import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** One module that a source text asks for. */
export interface Import {
  readonly specifier: string;
  /** True when nothing of it is left after compilation. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/** A source text with its comments blanked (`code`), and also with the contents of its literals blanked (`bare`). */
export interface Masked {
  readonly code: string;
  readonly bare: string;
}

/** All files below a folder whose name passes, as paths below it, sorted. */
export function filesBelow(folder: string, wanted: (path: string) => boolean): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => !path.includes("node_modules") && wanted(path) && statSync(join(folder, path)).isFile())
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
}

export function readText(path: string): string {
  return readFileSync(path, "utf8");
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

const blank = (text: string): string => text.replace(/[^\n]/g, " ");
const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*'|`|[{}]|\//g;
const REGEX = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const BEFORE_REGEX = /(?:^|[([{},;:=!&|?+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|await|yield|else|do))\s*$/;

/** Blanks comments and literals at their place, so that offsets and lines stay true. */
export function mask(text: string): Masked {
  let code = "";
  let bare = "";
  let at = 0;
  /** Depth of braces at which each open `${` ends. */
  const substitutions: number[] = [];
  let depth = 0;
  const keep = (end: number): void => {
    code += text.slice(at, end);
    bare += text.slice(at, end);
    at = end;
  };
  const literal = (end: number): void => {
    const inside = text.slice(at + 1, end - 1);
    code += text.slice(at, end);
    bare += text.charAt(at) + blank(inside) + (end - at > 1 ? text.charAt(end - 1) : "");
    at = end;
  };
  /** The rest of a template, from its back tick or closing brace to the next `${` or its end. */
  const template = (): void => {
    let end = at + 1;
    while (end < text.length && text[end] !== "`" && !text.startsWith("${", end)) end += text[end] === "\\" ? 2 : 1;
    if (text.startsWith("${", end)) {
      substitutions.push(depth++);
      literal(Math.min(end + 2, text.length));
    } else literal(Math.min(end + 1, text.length));
  };
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (found === null) break;
    keep(found.index);
    const token = found[0];
    if (token.startsWith("//") || token.startsWith("/*")) {
      code += blank(token);
      bare += blank(token);
      at += token.length;
    } else if (token === "`") template();
    else if (token === "{") {
      depth++;
      keep(at + 1);
    } else if (token === "}") {
      depth--;
      if (substitutions.at(-1) === depth) {
        substitutions.pop();
        template();
      } else keep(at + 1);
    } else if (token === "/") {
      REGEX.lastIndex = at;
      const regex = BEFORE_REGEX.test(bare.slice(-40)) ? REGEX.exec(text) : null;
      if (regex === null) keep(at + 1);
      else literal(at + regex[0].length);
    } else literal(at + token.length);
  }
  keep(text.length);
  return { code, bare };
}

const STATEMENT =
  /(?:^|[;}\n])\s*(import|export)\b\s*(type\b\s*(?=[\w$*{])(?!from\b))?(?:[\w*$\s{},]*?\s*\bfrom\s*)?(?=["'])/g;
const CALL = /(typeof\s+)?\b(?:import|require|getBuiltinModule)\s*\(\s*(?=["'`])/g;

/** What a TypeScript or JavaScript text imports or re-exports, dynamic imports included. */
export function importsOf(text: string): Import[] {
  const { code, bare } = mask(text);
  const imports: Import[] = [];
  const add = (offset: number, typeOnly: boolean): number => {
    const close = bare.indexOf(bare.charAt(offset), offset + 1);
    imports.push({ specifier: code.slice(offset + 1, close), typeOnly, line: lineOf(code, offset) });
    return close;
  };
  for (const found of bare.matchAll(STATEMENT)) add(found.index + found[0].length, found[2] !== undefined);
  for (const found of bare.matchAll(CALL)) {
    const offset = found.index + found[0].length;
    const close = bare.indexOf(bare.charAt(offset), offset + 1);
    // `import("x").Name` names a type; a value would be awaited first.
    const type = found[1] !== undefined || /^\s*\)\s*\.\s*[A-Z]/.test(bare.slice(close + 1, close + 40));
    add(offset, type);
  }
  return imports;
}
