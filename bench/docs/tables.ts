import type { Ratio } from "../measure.ts";

/** A ratio that readers can compare: three figures at most. */
export const figures = (ratio: number): string => (ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2));

const spread = ({ median, lower, upper }: Ratio): string =>
  `${figures(median)} (${figures(lower)} to ${figures(upper)})`;

function target({ median, target: wanted }: Ratio): string {
  if (wanted === undefined) return "";
  return median >= wanted ? `${wanted}` : `${wanted}, missed`;
}

/** A row for each ratio; what is said of the row above is not said again. */
export function ratioTable(ratios: readonly Ratio[], more: readonly (readonly [string, keyof Ratio])[] = []): string[] {
  const heads = ["what", "over", "ratio", ...more.map(([head]) => head), "target"];
  const lines = [`| ${heads.join(" | ")} |`, `|---|---|---:|${"---:|".repeat(more.length)}---|`];
  let above = "";
  for (const ratio of ratios) {
    const what = `${ratio.figure}: ${ratio.ours}`;
    const cells = [ratio.over, spread(ratio), ...more.map(([, name]) => figures(Number(ratio[name]))), target(ratio)];
    lines.push(`| ${[what === above ? "" : what, ...cells].join(" | ")} |`);
    above = what;
  }
  return lines;
}

/** With what the ratio is in calm rounds. */
export const httpTable = (ratios: readonly Ratio[]): string[] => ratioTable(ratios, [["calm", "calm"]]);

const milliseconds = (nanoseconds: number): string => `${(nanoseconds / 1e6).toFixed(0)} ms`;
const mebibytes = (bytes = 0): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;

/** Time and memory beside the ratio, for what is loaded once. */
export function startTable(ratios: readonly Ratio[]): string[] {
  const rows = ratios.map((ratio) => {
    const [ours, over] = ratio.memory ?? [];
    const cells = [
      ratio.ours,
      `${milliseconds(ratio.oursNs)}, ${mebibytes(ours)}`,
      ratio.over,
      `${milliseconds(ratio.overNs)}, ${mebibytes(over)}`,
      spread(ratio),
      target(ratio),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return ["| what | takes | over | which takes | ratio | target |", "|---|---|---|---|---:|---|", ...rows];
}

/** A row for each server, a column for each part of it, in percent of its CPU time. */
export function profileTable(ratios: readonly Ratio[]): string[] {
  const parts = [...new Set(ratios.map(({ over }) => over))];
  const servers = [...new Set(ratios.map(({ figure }) => figure))];
  const rows = servers.map((server) => {
    const cells = parts.map((part) => {
      const share = ratios.find(({ figure, over }) => figure === server && over === part)?.median ?? 0;
      return `${(share * 100).toFixed(1)} %`;
    });
    return `| ${[server.slice(server.indexOf(" ") + 1), ...cells].join(" | ")} |`;
  });
  return [`| server | ${parts.join(" | ")} |`, `|---|${parts.map(() => "---:|").join("")}`, ...rows];
}

const PEER = /fast-jwt|@fastify|jose|jsonwebtoken|hono|express-jwt|passport|koa-jwt/;

/** Every figure in which a peer did better, so that nobody has to look for them. */
export function aheadList(ratios: readonly Ratio[]): string[] {
  const plain = ratios
    .filter(({ figure, over, median }) => median < 1 && PEER.test(over) && !figure.startsWith("http, "))
    .map(({ figure, ours, over, median }) => `- ${figure}: ${ours} reaches ${figures(median)} of ${over}.`);
  const routes = ratios.filter(({ figure, over }) => figure.startsWith("http, ") && over === "open");
  const better = routes.flatMap((peer) => {
    const own = (name: string): number =>
      routes.find(({ figure, ours }) => figure === peer.figure && ours === `ours, ${name}`)?.median ?? 0;
    if (!PEER.test(peer.ours) || peer.median <= own("no cache")) return [];
    const than = peer.median > own("cache") ? "ours" : "ours without the cache";
    return [`- ${peer.figure}: ${peer.ours} reaches ${figures(peer.median)} of the open route, more than ${than}.`];
  });
  const all = [...plain, ...better];
  return all.length > 0 ? all : ["In none of the figures above."];
}
