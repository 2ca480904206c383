import type { Ratio } from "../measure.ts";
import { dot, drawing, path, text } from "./svg.ts";

const [WIDTH, HEIGHT, COLUMNS] = [330, 220, 2];
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 20, 40, 30];

interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [size: number, cost: number])[];
}

function curvesOf(ratios: readonly Ratio[]): Curve[] {
  const growth = ratios.filter(({ figure, size }) => figure.startsWith("growth: ") && size !== undefined);
  return [...new Set(growth.map(({ figure }) => figure))].map((figure) => {
    const rows = growth.filter((row) => row.figure === figure);
    const first = [Number(rows[0]?.ours), 1] as const;
    return {
      name: figure.slice("growth: ".length),
      points: [first, ...rows.map((row) => [row.size as number, row.median] as const)],
    };
  });
}

const short = (size: number): string =>
  size >= 1e6 ? `${size / 1e6} M` : size >= 1000 ? `${size / 1000} k` : String(size);

/** One curve: the cost, as a multiple of that of the first point, over the size on a logarithmic scale. */
function panel({ name, points }: Curve, left: number, top: number): string[] {
  const sizes = points.map(([size]) => size);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  // A flat curve should look flat: no scale ends below three times the first cost.
  const highest = Math.max(3, Math.ceil(Math.max(...points.map(([, cost]) => cost))));
  const x = (size: number): number =>
    left + LEFT + (Math.log(size / least) / Math.log(most / least)) * (WIDTH - LEFT - RIGHT);
  const y = (cost: number): number => top + HEIGHT - BOTTOM - (cost / highest) * (HEIGHT - TOP - BOTTOM);
  const step = Math.ceil(highest / 4);
  const parts = [text(left + LEFT, top + 22, name, "start", "title")];
  for (let cost = 0; cost <= highest; cost += step) {
    parts.push(
      path(
        [
          [left + LEFT, y(cost)],
          [left + WIDTH - RIGHT, y(cost)],
        ],
        "grid",
      ),
    );
    parts.push(text(left + LEFT - 6, y(cost) + 4, `${cost}×`, "end"));
  }
  parts.push(
    path(
      points.map(([size, cost]) => [x(size), y(cost)] as const),
      "line",
    ),
  );
  for (const [size, cost] of points) {
    parts.push(dot(x(size), y(cost), "c0"), text(x(size), top + HEIGHT - 10, short(size), "middle"));
  }
  return parts;
}

/** How costs grow, a panel for each curve. */
export function growthPlot(ratios: readonly Ratio[]): string {
  const curves = curvesOf(ratios);
  const parts = curves.flatMap((curve, i) => panel(curve, (i % COLUMNS) * WIDTH, Math.floor(i / COLUMNS) * HEIGHT));
  const height = Math.ceil(curves.length / COLUMNS) * HEIGHT;
  return drawing(WIDTH * COLUMNS, height, "Cost as a multiple of the cost of the least, over the size", parts);
}
