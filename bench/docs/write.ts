import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Ratio } from "../measure.ts";
import { writeScaling } from "../replica/scaling.ts";
import type { Setting } from "../setting.ts";
import { growthPlot } from "./growth-plot.ts";
import { httpPlot } from "./http-plot.ts";
import { aheadList, httpTable, profileTable, ratioTable, startTable } from "./tables.ts";

const PAGE = "docs/performance.md";
const IMAGES = "docs/images";

interface Section {
  /** The name in the marks of the page. */
  readonly name: string;
  /** Beginnings of the figures that belong here. */
  readonly figures: readonly string[];
  readonly lines?: (ratios: readonly Ratio[]) => string[];
  readonly plot?: (ratios: readonly Ratio[]) => string;
}

const SECTIONS: readonly Section[] = [
  { name: "verify", figures: ["verify "] },
  { name: "sign", figures: ["sign ", "createTokenPair "] },
  { name: "repeat", figures: ["1000 tokens"] },
  { name: "guard", figures: ["whole guard", "cookie mode", "forged token"] },
  { name: "http", figures: ["http, "], lines: httpTable, plot: httpPlot },
  { name: "profile", figures: ["profile, "], lines: profileTable },
  { name: "growth", figures: ["growth: "], lines: () => [], plot: growthPlot },
  { name: "start", figures: ["start"], lines: startTable },
  { name: "stores", figures: ["refresh, ", "check, "] },
  { name: "login", figures: ["login"] },
];

/** Puts lines between the marks of a section. What stands around them was written by hand. */
function replaced(page: string, name: string, lines: readonly string[]): string {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${PAGE} has no marks for ${name}`);
  return `${page.slice(0, from + begin.length)}\n${lines.join("\n")}\n${page.slice(to)}`;
}

/** Writes the tables and plots of the docs anew, as far as their figures were measured. */
export function writeDocs(setting: Setting, ratios: readonly Ratio[]): void {
  writeScaling(setting, ratios);
  let page = readFileSync(PAGE, "utf8");
  mkdirSync(IMAGES, { recursive: true });
  const { machine, node, openssl, date, command, peers } = setting;
  const taken = `*\`${command}\`: ${machine}, Node ${node}, OpenSSL ${openssl}, ${date}.*`;
  for (const { name, figures, lines = ratioTable, plot } of SECTIONS) {
    const rows = ratios.filter(({ figure }) => figures.some((start) => figure.startsWith(start)));
    if (rows.length === 0) continue;
    const image = plot === undefined ? [] : [`![${name}](images/${name}.svg)`, ""];
    if (plot !== undefined) writeFileSync(`${IMAGES}/${name}.svg`, plot(rows));
    const table = lines(rows);
    page = replaced(page, name, [...image, ...table, ...(table.length > 0 ? [""] : []), taken]);
  }
  const versions = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  page = replaced(page, "versions", [`${versions.join(", ")}.`]);
  // Only a run of everything knows where nobody is ahead.
  if (SECTIONS.every(({ figures }) => ratios.some(({ figure }) => figures.some((start) => figure.startsWith(start)))))
    page = replaced(page, "ahead", aheadList(ratios));
  writeFileSync(PAGE, page);
}
