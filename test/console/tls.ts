import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";

/** What stands in front of a service in production: it takes https, and passes what is inside on. */
export interface TlsFront {
  readonly url: string;
  /** The service, once it listens. */
  passTo(url: string): void;
  close(): void;
}

/** Opens one with a certificate of its own, which a test tells its browser to bear. */
export async function startTls(): Promise<TlsFront> {
  const folder = mkdtempSync(join(tmpdir(), "console-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const about = ["-subj", "/CN=localhost", "-days", "2", "-keyout", key, "-out", cert];
  const { status, stderr } = spawnSync("openssl", ["req", "-x509", ...kind, ...about], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  let port = 0;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    const inside = connect(port, "127.0.0.1");
    socket.pipe(inside).pipe(socket);
    for (const end of [socket, inside]) {
      end.on("error", () => {});
      end.on("close", () => [socket, inside].map((one) => one.destroy()));
    }
  });
  rmSync(folder, { recursive: true });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passTo(url) {
      port = Number(new URL(url).port);
    },
    close: () => void server.close(),
  };
}
