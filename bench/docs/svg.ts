/** Where a text begins, or what of it stands there. */
export type Anchor = "start" | "middle" | "end";

// Readable on white and on black: the colours follow what the reader's system prefers, and nothing is painted behind.
const STYLE = `<style>
svg{--ink:#24292f;--grid:#d0d7de;--c0:#0969da;--c1:#bc4c00;--c2:#6e7781;--c3:#1a7f37}
@media (prefers-color-scheme:dark){svg{--ink:#d1d7e0;--grid:#3d444d;--c0:#4493f8;--c1:#db6d28;--c2:#9198a1;--c3:#3fb950}}
text{font:12px sans-serif;fill:var(--ink)}.title{font-weight:bold}.grid{stroke:var(--grid);fill:none}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.line{fill:none;stroke:var(--c0);stroke-width:2}
</style>`;

const escaped = (words: string): string => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const at = (value: number): string => String(Math.round(value * 10) / 10);

/** A whole drawing. `label` says what it shows to those who cannot see it. */
export const drawing = (width: number, height: number, label: string, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${at(width)} ${at(height)}" role="img" aria-label="${escaped(label)}">
${STYLE}
${parts.join("\n")}
</svg>
`;

export const text = (x: number, y: number, words: string, anchor: Anchor = "start", kind = ""): string =>
  `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}"${kind && ` class="${kind}"`}>${escaped(words)}</text>`;

export const rectangle = (x: number, y: number, width: number, height: number, kind: string): string =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" class="${kind}"/>`;

export const path = (points: readonly (readonly [x: number, y: number])[], kind: string): string =>
  `<path d="M${points.map(([x, y]) => `${at(x)} ${at(y)}`).join("L")}" class="${kind}"/>`;

export const dot = (x: number, y: number, kind: string): string =>
  `<circle cx="${at(x)}" cy="${at(y)}" r="3" class="${kind}"/>`;
