import { connect, createServer, type Socket } from "node:net";

/** A way to a server that can be made long, or be led elsewhere. */
export interface Line {
  readonly port: number;
  /** Milliseconds that every piece is held back, either way. */
  delay(milliseconds: number): void;
  /** Leads new connections to another port, and ends those of before. */
  lead(port: number): void;
  /** Ends all connections and lets none through, until it is mended. */
  cut(): void;
  mend(): void;
  close(): void;
}

/** Starts a proxy on loopback. */
export function startProxy(to: number): Promise<Line> {
  let target = to;
  let late = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    keep(near);
    keep(far);
    hold(near, far, () => late);
    hold(far, near, () => late);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  });
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const lead = (elsewhere: number): void => {
    target = elsewhere;
    drop();
  };
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      resolve({
        port,
        delay: (milliseconds) => {
          late = milliseconds;
        },
        lead,
        // Nothing listens there.
        cut: () => lead(1),
        mend: () => lead(to),
        close: () => {
          server.close();
          drop();
        },
      });
    });
  });
}

/** Passes on what comes. Pieces keep their order also when the delay gets shorter: each waits for the one before. */
function hold(from: Socket, to: Socket, late: () => number): void {
  const held: { readonly at: number; readonly chunk: Buffer }[] = [];
  const pass = (): void => {
    while (held[0] && held[0].at <= Date.now()) to.write((held.shift() as { chunk: Buffer }).chunk);
    if (held[0]) setTimeout(pass, held[0].at - Date.now()).unref();
  };
  from.on("data", (chunk: Buffer) => {
    held.push({ at: Date.now() + late(), chunk });
    if (held.length === 1) pass();
  });
}
