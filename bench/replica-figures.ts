import type { Job } from "./jobs.ts";
import { effectJobs } from "./replica/effect.ts";
import { guardJobs } from "./replica/guard.ts";
import { tableJobs } from "./replica/table.ts";
import { trafficJobs } from "./replica/traffic.ts";

export const jobs: readonly Job[] = [...tableJobs, ...guardJobs, ...effectJobs, ...trafficJobs];
