import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands between a browser and a server, and holds the answers of one path back for so many milliseconds. */
export async function startSlow(
  to: string,
  path: string,
  ms: number,
): Promise<{ readonly url: string; close(): void }> {
  const { hostname, port } = new URL(to);
  const server = createServer((req, res) => {
    const { method, url, headers } = req;
    const asked = request({ hostname, port, method, path: url, headers }, (answer) => {
      const pass = (): void => {
        res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(res);
      };
      if (url === path) setTimeout(pass, ms);
      else pass();
    });
    asked.on("error", () => res.destroy());
    res.on("close", () => asked.destroy());
    req.pipe(asked);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
