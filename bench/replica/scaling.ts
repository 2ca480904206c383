import { readFileSync, writeFileSync } from "node:fs";
import type { Ratio } from "../measure.ts";
import type { Setting } from "../setting.ts";

const PAGE = "docs/scaling.md";
const PLOT = "docs/scaling.svg";
const [BEGIN, END] = ["<!-- bench: begin -->", "<!-- bench: end -->"];

/** What is assumed of a user: sessions ended before their time a day, and revocations of all their sessions a year. */
const [ENDED_A_DAY, ALL_A_YEAR] = [0.3, 2];
/** How much more goes on in the busiest hour than on average. */
const BUSY = 4;
const USERS = [1e6, 1e7, 1e8];
/** Days for which entries are kept beyond the lifetimes. */
const MARGIN = 360 / 86_400;

/** Lifetimes in days, as `maxAccessLifetime` and `maxRefreshLifetime` set them. */
interface Lifetimes {
  readonly name: string;
  readonly access: number;
  readonly refresh: number;
}

const LIFETIMES: readonly Lifetimes[] = [
  { name: "24 h and 90 d (the defaults)", access: 1, refresh: 90 },
  { name: "1 h and 90 d", access: 1 / 24, refresh: 90 },
  { name: "1 h and 14 d", access: 1 / 24, refresh: 14 },
];

/** Bytes, or nanoseconds, that a row measured. */
type Measured = (figure: string, ours: string) => number;

const entriesOf = (users: number, { access, refresh }: Lifetimes): readonly [flags: number, epochs: number] => [
  users * ENDED_A_DAY * (access + MARGIN),
  (users * ALL_A_YEAR * (refresh + MARGIN)) / 365,
];

const BYTES = "bytes of an entry";
const REVOKING = "a revocation, 10 at once";
function memoryOf(users: number, lifetimes: Lifetimes, measured: Measured): number {
  const [flags, epochs] = entriesOf(users, lifetimes);
  return (
    flags * measured("replica: table, 10,000,000", BYTES) + epochs * measured("replica: epochs, 10,000,000", BYTES)
  );
}

const UNITS = ["", "k", "M", "G"];
function short(value: number, unit: string): string {
  const power = Math.max(0, Math.min(3, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
  const scaled = value / 1000 ** power;
  return `${scaled >= 100 ? Math.round(scaled) : Number(scaled.toPrecision(2))} ${UNITS[power]}${unit}`.trim();
}
const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;

function tableOf(measured: Measured): string[] {
  const lines = [
    "| users | entries, with the default lifetimes | memory of each process | revocations a second, in the busiest hour | to each process, Redis | PostgreSQL | in the store, Redis | PostgreSQL | a new process is filled after, Redis | PostgreSQL |",
    "|---|---|---|---|---|---|---|---|---|---|",
  ];
  for (const users of USERS) {
    const lifetimes = LIFETIMES[0] as Lifetimes;
    const entries = entriesOf(users, lifetimes).reduce((sum, each) => sum + each, 0);
    const changes = ((users * (ENDED_A_DAY + ALL_A_YEAR / 365)) / 86_400) * BUSY;
    const each = (of: (kind: string) => string): string[] => ["redis", "postgres"].map(of);
    const traffic = (kind: string) => (ours: string) => measured(`replica: traffic, ${kind}`, ours);
    lines.push(
      `| ${[
        short(users, ""),
        short(entries, ""),
        short(memoryOf(users, lifetimes, measured), "B"),
        short(changes, ""),
        ...each(
          (kind) =>
            `${short(changes * traffic(kind)("a change, followed") + traffic(kind)("a second of silence"), "B")}/s`,
        ),
        ...each((kind) => short(entries * traffic(kind)("an entry in the store, with its change"), "B")),
        ...each((kind) => duration((entries * measured(`replica: pace, ${kind}`, "an entry of a snapshot")) / 1e9)),
      ].join(" | ")} |`,
    );
  }
  return lines;
}

const WIDTH = 640;
const HEIGHT = 360;
const [LEFT, RIGHT, TOP, BOTTOM] = [70, 20, 20, 50];
const COLOURS = ["#1f6feb", "#bf5b00", "#1a7f37"];

/** Memory of a process over the number of users, both on logarithmic scales. */
function plotOf(measured: Measured): string {
  const [least, most] = [1e5, 1e11];
  const x = (users: number): number => LEFT + (Math.log10(users / 1e5) / 4) * (WIDTH - LEFT - RIGHT);
  const y = (bytes: number): number =>
    HEIGHT - BOTTOM - (Math.log10(bytes / least) / Math.log10(most / least)) * (HEIGHT - TOP - BOTTOM);
  const text = (at: readonly [number, number], words: string, anchor = "middle"): string =>
    `<text x="${at[0].toFixed(0)}" y="${at[1].toFixed(0)}" text-anchor="${anchor}">${words}</text>`;
  const parts: string[] = [];
  for (const users of [1e5, 1e6, 1e7, 1e8, 1e9]) {
    parts.push(`<path class="grid" d="M${x(users)} ${TOP}V${HEIGHT - BOTTOM}"/>`);
    parts.push(text([x(users), HEIGHT - BOTTOM + 18], short(users, "")));
  }
  for (let bytes = least; bytes <= most; bytes *= 10) {
    parts.push(`<path class="grid" d="M${LEFT} ${y(bytes)}H${WIDTH - RIGHT}"/>`);
    parts.push(text([LEFT - 8, y(bytes) + 4], short(bytes, "B"), "end"));
  }
  parts.push(text([(WIDTH + LEFT) / 2, HEIGHT - 10], "users"));
  const legend = (line: number): readonly [number, number] => [WIDTH - 290, HEIGHT - BOTTOM - 74 + line * 18];
  parts.push(text(legend(0), "maxAccessLifetime and maxRefreshLifetime:", "start"));
  for (const [at, lifetimes] of LIFETIMES.entries()) {
    const points = [1e5, 1e9].map((users) => `${x(users)} ${y(memoryOf(users, lifetimes, measured)).toFixed(1)}`);
    const colour = COLOURS[at] as string;
    parts.push(`<path d="M${points.join("L")}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    const [left, line] = legend(at + 1);
    parts.push(`<path d="M${left} ${line - 4}h18" stroke="${colour}" stroke-width="2"/>`);
    parts.push(text([left + 26, line], lifetimes.name, "start"));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Memory of a process over the number of users">
<style>text{font:12px sans-serif;fill:#24292f}.grid{stroke:#d0d7de}svg{background:#fff}</style>
${parts.join("\n")}
</svg>
`;
}

/** Writes the table and the plot of `docs/scaling.md`. Does nothing where the figures it needs were not measured, or only in short. */
export function writeScaling({ machine, node, date }: Setting, ratios: readonly Ratio[]): void {
  const of = (figure: string, ours: string): Ratio | undefined =>
    ratios.find((ratio) => ratio.figure === figure && ratio.ours === ours);
  if (!of("replica: epochs, 10,000,000", BYTES) || !of("replica: pace, postgres", "an entry of a snapshot")) return;
  const measured: Measured = (figure, ours) => (of(figure, ours) as Ratio).oursNs;
  const pace = (kind: string): string => short(1e9 / measured(`replica: pace, ${kind}`, REVOKING), "");
  const effect = (kind: string): string => {
    const [half, most] = ["median", "99 of 100"].map((ours) =>
      (measured(`replica: effect, ${kind}`, ours) / 1e6).toFixed(0),
    );
    return `${half} ms, and 99 of 100 within ${most} ms`;
  };
  const faster = (kind: string): string => {
    const [alone, together] = ["replica", "replica, 64 at once"].map(
      (ours) => of(`replica: guard, ${kind}`, ours)?.median,
    );
    return `${alone?.toFixed(0)} times as fast as over ${kind === "redis" ? "Redis" : "PostgreSQL"} (${together?.toFixed(0)} times with 64 requests at once)`;
  };
  const page = readFileSync(PAGE, "utf8");
  const [before, after] = [page.slice(0, page.indexOf(BEGIN)), page.slice(page.indexOf(END))];
  const said = [
    BEGIN,
    `Measured on ${machine}, Node ${node}, ${date}: an entry takes ${measured("replica: table, 10,000,000", BYTES).toFixed(1)} bytes in a process, one of a user ${measured("replica: epochs, 10,000,000", BYTES).toFixed(1)}; at ten million, an insert that makes the table grow takes ${(measured("replica: table, 10,000,000", "insert that makes it grow") / 1e6).toFixed(1)} ms.`,
    `A guarded request over a copy was ${faster("redis")}, and ${faster("postgres")}.`,
    `Ten at a time, Redis took ${pace("redis")} revocations a second, PostgreSQL ${pace("postgres")}, each with every write flushed to disk.`,
    `In four other processes half of the log-outs counted within ${effect("redis")} (Redis); within ${effect("postgres")} (PostgreSQL).`,
    "",
    ...tableOf(measured),
    "",
    `![Memory of a process over the number of users](scaling.svg)`,
    "",
  ];
  writeFileSync(PAGE, `${before}${said.join("\n")}${after}`);
  writeFileSync(PLOT, plotOf(measured));
}
