import type { Ratio } from "../measure.ts";
import { drawing, path, rectangle, text } from "./svg.ts";

const [LABELS, SCALE, ROW, GAP, TOP] = [250, 420, 18, 30, 24];

/** Colours: ours, what lets everything pass, and the others. */
function kindOf({ ours }: Ratio): string {
  if (ours.startsWith("ours")) return "c0";
  return ours.startsWith("an empty") ? "c3" : "c1";
}

/** What a protected route reaches of the open one, a group of bars for each framework. */
export function httpPlot(ratios: readonly Ratio[]): string {
  const bars = ratios.filter(
    ({ figure, ours, over }) => figure.startsWith("http, ") && over.startsWith("open") && !ours.startsWith("open"),
  );
  const parts: string[] = [];
  let y = TOP;
  for (const figure of new Set(bars.map((bar) => bar.figure))) {
    parts.push(text(0, y + 12, figure.slice("http, ".length), "start", "title"));
    y += ROW + 4;
    for (const bar of bars.filter((each) => each.figure === figure)) {
      const length = Math.min(1.1, bar.median) * SCALE;
      parts.push(text(LABELS - 8, y + 12, bar.ours, "end"), rectangle(LABELS, y + 2, length, ROW - 5, kindOf(bar)));
      parts.push(text(LABELS + length + 6, y + 12, bar.median.toFixed(2)));
      y += ROW;
    }
    y += GAP - ROW;
  }
  const open = LABELS + SCALE;
  parts.push(
    text(open, 12, "the open route", "middle"),
    path(
      [
        [open, 16],
        [open, y],
      ],
      "grid",
    ),
  );
  return drawing(LABELS + SCALE * 1.1 + 50, y, "Requests a protected route serves of those an open one serves", parts);
}
