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
