/**
 * Under `REQUIRE_ALL=1`, or in CI (`CI=true`), a test that would be skipped is a failure:
 * what is missing on the machine is then an error, and the summary counts every skip as failed.
 */
export const requireAll: boolean = process.env.REQUIRE_ALL === "1" || process.env.CI === "true";

/** Whether tests that need `what` can run here. Throws where everything is required: `describe.skipIf(!available("redis-server", found))`. */
export function available(what: string, present: boolean): boolean {
  if (!present && requireAll) throw new Error(`${what} is missing, and REQUIRE_ALL (or CI) allows no skipped test`);
  return present;
}
