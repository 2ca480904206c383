import { describe, expect, it } from "vitest";
import { requestOf } from "../../support/forge.ts";
import { managerOf } from "../../support/serve.ts";

const SAFARI = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15";
const CHROME = "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";

async function warningsFor(agent: string, host: string, options: object = {}, extra: [string, string][] = []) {
  const lines: string[] = [];
  const manager = managerOf({ tokenLocation: ["cookies"], warn: (line: string) => lines.push(line), ...options });
  const request = requestOf({ headers: [["host", host], ["user-agent", agent], ...extra] });
  const token = await manager.createAccessToken("ada");
  for (let login = 0; login < 3; login++) await manager.cookieHeaders("access", token, {}, request);
  return lines;
}

describe("a login of Safari over plain http on this machine", () => {
  it("is warned about once, with the cookie and both ways out", async () => {
    const lines = await warningsFor(SAFARI, "localhost:3000");
    expect(lines.length).toBe(1);
    for (const word of ["__Host-access_token", "https", "cookieSecure: false"]) expect(lines[0]).toContain(word);
  });
  it("is nothing that others are warned about", async () => {
    expect(await warningsFor(CHROME, "localhost:3000")).toEqual([]);
    expect(await warningsFor(SAFARI, "example.com")).toEqual([]);
    expect(await warningsFor(SAFARI, "localhost", { cookieSecure: false })).toEqual([]);
    expect(await warningsFor(SAFARI, "localhost", {}, [["x-forwarded-proto", "https"]])).toEqual([]);
    expect(await warningsFor("", "")).toEqual([]);
  });
});
