import { jobsOf } from "./figures.ts";
import type { Effort } from "./measure.ts";

// Measures one job of one figure, and sends what it found to the process that forked this one.
const [figure = "", which, effort = ""] = process.argv.slice(2);
const job = (await jobsOf(figure))[Number(which)];
if (!job) throw new Error(`no such job: ${figure} ${which}`);
const ratios = await job.measure(JSON.parse(effort) as Effort);
process.send?.(ratios, () => process.disconnect());
