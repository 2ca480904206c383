import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { clientScript } from "./bundle.ts";

it("is under 2 kB, minified and zipped, and asks for nothing else", async () => {
  const script = await clientScript();
  const zipped = gzipSync(script, { level: 9 }).length;
  console.info(`jwt-extended/client: ${script.length} bytes minified, ${zipped} bytes with gzip`);
  expect(zipped).toBeLessThan(2000);
  expect(script).not.toMatch(/\bimport\b|\brequire\b|node:|localStorage|sessionStorage|indexedDB/);
});
