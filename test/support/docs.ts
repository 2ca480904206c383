import { readFileSync } from "node:fs";

/** A page of the documentation. */
export const page = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

/** The rows of all tables of a page whose first cell is one name in code, as cells without their blanks. */
export function rowsOf(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => /^\| `[^`]+` \|/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** The text of a cell that is nothing but code; `undefined` for prose. */
export const codeIn = (cell: string | undefined): string | undefined => /^`([^`]*)`$/.exec(cell ?? "")?.[1];

/** The part of a page below one heading, up to the next heading of any level. */
export function section(text: string, heading: string): string {
  const lines = text.split("\n");
  const from = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (from < 0) throw new Error(`there is no heading "${heading}"`);
  const to = lines.findIndex((line, i) => i > from && /^#+ /.test(line));
  return lines.slice(from + 1, to < 0 ? undefined : to).join("\n");
}

/**
 * The TypeScript of a page as one module: each block in a scope of its own that sees the blocks before it.
 * @param more what stands behind the last block
 */
export function moduleOf(text: string, more = ""): string {
  const imports = new Map<string, Set<string>>();
  const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = ""]) =>
    block.replaceAll(/^import (.*) from "([^"]+)";\n/gm, (_line, what: string, from: string) => {
      const names = imports.get(from) ?? new Set();
      for (const name of what.replace(/[{}]/g, "").split(","))
        names.add(what.startsWith("{") ? name.trim() : `default as ${name.trim()}`);
      imports.set(from, names);
      return "";
    }),
  );
  const head = [...imports].map(([from, names]) => `import { ${[...names].join(", ")} } from "${from}";`);
  const open = blocks.map((block) => `{\n${block}`);
  // `token` stands for one that the reader has at hand.
  return `${head.join("\n")}\ndeclare const token: string;\n${open.join("\n")}\n${more}${"\n}".repeat(blocks.length)}\nexport {};\n`;
}
