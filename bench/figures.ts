import type { Job } from "./jobs.ts";

// Each figure is imported only where it is measured: what one loads must not slow down another.
const FIGURES: Readonly<Record<string, () => Promise<{ readonly jobs: readonly Job[] }>>> = {
  verify: () => import("./verify-figures.ts"),
  sign: () => import("./sign-figures.ts"),
  repeat: () => import("./repeat-figures.ts"),
  refuse: () => import("./refuse-figures.ts"),
  guard: () => import("./guard-figures.ts"),
  http: () => import("./http-figures.ts"),
  profile: () => import("./profile-figures.ts"),
  growth: () => import("./growth-figures.ts"),
  start: () => import("./start-figures.ts"),
  refresh: () => import("./refresh-figures.ts"),
  revocation: () => import("./revocation-figures.ts"),
  replica: () => import("./replica-figures.ts"),
  login: () => import("./login-figures.ts"),
};

/** What can be measured, by the name that `npm run bench -- NAME` takes. */
export const FIGURE_NAMES: readonly string[] = Object.keys(FIGURES);

/** What a figure consists of. */
export async function jobsOf(figure: string): Promise<readonly Job[]> {
  const load = FIGURES[figure];
  return load === undefined ? [] : (await load()).jobs;
}
