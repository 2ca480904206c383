import { useEffect, useRef, useState } from "preact/hooks";
import { moment } from "../parts/time.tsx";

/** One stretch of time; `at`, in Unix seconds, is where it begins. */
export interface Row {
  readonly at: number;
  readonly logins: number;
  readonly refusals: number;
}

interface ChartProps {
  readonly rows: readonly Row[];
}

const HEIGHT = 200;
const LEFT = 34;
const EDGE = 22;
/** Pixels below which a bar is too narrow to be seen. */
const NARROWEST = 7;
const DAY_SECONDS = 86_400;

/** Fewer and longer stretches, where there is no room for all. */
function joined(rows: readonly Row[], many: number): readonly Row[] {
  const size = Math.max(1, Math.ceil(rows.length / many));
  const parts = rows
    .filter((_, index) => index % size === 0)
    .map((_, index) => rows.slice(index * size, (index + 1) * size));
  const sum = (part: readonly Row[], of: "logins" | "refusals"): number => part.reduce((all, row) => all + row[of], 0);
  return parts.map((part) => ({ at: part[0]?.at ?? 0, logins: sum(part, "logins"), refusals: sum(part, "refusals") }));
}

/** The next of 1, 2, 5, 10, 20, 50 …, so that the lines stand at round numbers. */
function roundUp(count: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, count)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= count) ?? count;
}

function useWidth() {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => entry && setWidth(Math.max(240, entry.contentRect.width)));
    if (place.current) watch.observe(place.current);
    return () => watch.disconnect();
  }, []);
  return { place, width };
}

/** Logins stand above the line and refusals hang below it: which is which does not depend on colours. */
export function Chart({ rows: all }: ChartProps) {
  const { place, width } = useWidth();
  const rows = joined(all, Math.floor((width - LEFT) / NARROWEST));
  const isLong = (all.at(-1)?.at ?? 0) - (all[0]?.at ?? 0) > DAY_SECONDS;
  const top = roundUp(Math.max(1, ...rows.map(({ logins, refusals }) => Math.max(logins, refusals))));
  const middle = HEIGHT / 2;
  const yOf = (count: number): number => middle - (count / top) * (middle - EDGE);
  const step = (width - LEFT) / Math.max(1, rows.length);
  const xOf = (index: number): number => LEFT + index * step;
  const sum = (of: "logins" | "refusals"): number => rows.reduce((total, row) => total + row[of], 0);
  const labels = Math.max(1, Math.ceil(rows.length / Math.max(2, Math.floor((width - LEFT) / 80))));
  return (
    <div ref={place}>
      <svg
        class="chart"
        viewBox={`0 0 ${width} ${HEIGHT}`}
        width={width}
        height={HEIGHT}
        role="img"
        aria-labelledby="chart-text"
      >
        <title id="chart-text">{`${sum("logins")} logins and ${sum("refusals")} refusals. The numbers are in the table below.`}</title>
        {[top, top / 2, 0, -top / 2, -top]
          .filter((count) => Number.isInteger(count))
          .map((count) => (
            <g key={count}>
              <line class={count === 0 ? "zero" : "grid"} x1={LEFT} x2={width} y1={yOf(count)} y2={yOf(count)} />
              <text x={LEFT - 6} y={yOf(count) + 4} text-anchor="end">
                {Math.abs(count)}
              </text>
            </g>
          ))}
        {rows.map(({ at, logins, refusals }, index) => (
          <g key={at}>
            <rect
              class="logins"
              x={xOf(index) + step * 0.15}
              width={step * 0.7}
              y={yOf(logins)}
              height={middle - yOf(logins)}
            />
            <rect
              class="refusals"
              x={xOf(index) + step * 0.15}
              width={step * 0.7}
              y={middle}
              height={yOf(-refusals) - middle}
            />
            {index % labels === 0 && xOf(index) < width - 50 && (
              <text x={xOf(index)} y={HEIGHT - 2}>
                {(isLong ? DAY : CLOCK).format(at * 1000)}
              </text>
            )}
          </g>
        ))}
        <text class="name" x={LEFT + 4} y={12}>
          <tspan class="logins">▲</tspan> logins
        </text>
        <text class="name" x={LEFT + 70} y={12}>
          <tspan class="refusals">▼</tspan> refusals
        </text>
      </svg>
      <Numbers rows={all} />
    </div>
  );
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric" });

/** What the picture shows, for those who do not see it. */
function Numbers({ rows }: Pick<ChartProps, "rows">) {
  const busy = rows.filter(({ logins, refusals }) => logins + refusals > 0);
  return (
    <details>
      <summary>The numbers</summary>
      {busy.length === 0 ? (
        <p>Nothing happened.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">From</th>
              <th scope="col">Logins</th>
              <th scope="col">Refusals</th>
            </tr>
          </thead>
          <tbody>
            {busy.map(({ at, logins, refusals }) => (
              <tr key={at}>
                <th scope="row">{moment(at * 1000)}</th>
                <td>{logins}</td>
                <td>{refusals}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}
