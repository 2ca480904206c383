import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { JwtReply, Route } from "../http/types.ts";
import { PAGE_POLICY } from "./headers.ts";

/** The folder is the same seen from the source and from what is built. */
const BUILT = fileURLToPath(new URL("../../dist/console/", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

/** The console, as it was built. */
export interface Page {
  /** The page itself; `undefined` where it was not built. */
  readonly index: JwtReply | undefined;
  /** Its scripts, styles and pictures. */
  readonly routes: readonly Route[];
}

/** Reads the files of the console, once: no path of a request ever touches the disk. */
export function readPage(folder: string = BUILT): Page {
  if (!existsSync(join(folder, "index.html"))) return { index: undefined, routes: [] };
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => name !== "index.html" && statSync(join(folder, name)).isFile());
  const index = fileReply(join(folder, "index.html"), "no-cache");
  return {
    index: { ...index, headers: [...index.headers, PAGE_POLICY, ["vary", "Accept"]] },
    routes: files.map((name) => {
      const path = `/${name.split(sep).join("/")}`;
      // Names below it hold a hash of what is in the file.
      const isHashed = path.startsWith("/assets/");
      const reply = fileReply(join(folder, name), isHashed ? "public, max-age=31536000, immutable" : "no-cache");
      return { method: "GET", path, handle: () => reply };
    }),
  };
}

function fileReply(file: string, caching: string): JwtReply {
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  const body = new Uint8Array(readFileSync(file));
  return {
    status: 200,
    headers: [
      ["content-type", type],
      ["cache-control", caching],
    ],
    body,
  };
}
