import { connect, type Socket } from "node:net";

const CONNECTIONS = 24;
const END_OF_HEAD = Buffer.from("\r\n\r\n");
/** Milliseconds after which a load that nobody answers is given up. */
const PATIENCE = 20_000;

/** Keep-alive connections that send one request after the other, as cheaply as can be: the server is what is measured. */
export interface Load {
  /** Sends requests in turn for some milliseconds, waits for the last answer, and gives how many were answered. */
  run(requests: readonly Buffer[], milliseconds: number): Promise<number>;
  close(): void;
}

interface Line {
  readonly socket: Socket;
  received: number;
}

/** Opens the connections. */
export async function openLoad(port: number): Promise<Load> {
  /** What a chunk is given to while a run lasts. */
  let take: ((line: Line, chunk: Buffer) => void) | undefined;
  let fail: (error: Error) => void = () => {};
  const lines = await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      () =>
        new Promise<Line>((resolve, reject) => {
          const buffer = Buffer.alloc(16_384);
          const callback = (length: number): boolean => {
            take?.(line, buffer.subarray(0, length));
            return true;
          };
          const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer, callback } });
          const line: Line = { socket, received: 0 };
          const broken = (error: Error): void => {
            reject(error);
            fail(error);
          };
          socket.once("connect", () => resolve(line)).on("error", broken);
          socket.on("close", () => broken(new Error("the server closed a connection")));
        }),
    ),
  );

  function run(requests: readonly Buffer[], milliseconds: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error("no answer")), milliseconds + PATIENCE);
      fail = reject;
      const end = performance.now() + milliseconds;
      // All answers of a run have the same length.
      let length = 0;
      let [next, answered, waiting] = [0, 0, 0];
      const send = (line: Line): void => {
        line.received = 0;
        waiting++;
        line.socket.write(requests[next++ % requests.length] as Buffer);
      };
      take = (line, chunk) => {
        if (line.received === 0 && chunk.toString("latin1", 9, 12) !== "200") {
          return reject(new Error(`the server answered ${chunk.toString("latin1", 0, 200)}`));
        }
        if (length === 0) length = answerLength(chunk);
        line.received += chunk.length;
        if (line.received < length) return;
        waiting--;
        answered++;
        if (performance.now() < end) return send(line);
        if (waiting > 0) return;
        clearTimeout(limit);
        resolve(answered);
      };
      for (const line of lines) send(line);
      // Never sleeps: a server would have to pay for waking it up, and the more often, the slower it answers.
      const stayAwake = (): void => {
        if (waiting > 0) setImmediate(stayAwake);
      };
      stayAwake();
    });
  }

  return {
    run,
    close() {
      fail = () => {};
      for (const { socket } of lines) socket.destroy();
    },
  };
}

/** Head and body, of an answer whose head came in one piece. */
function answerLength(chunk: Buffer): number {
  const end = chunk.indexOf(END_OF_HEAD);
  const body = /\r\ncontent-length: (\d+)/i.exec(chunk.toString("latin1", 0, end))?.[1];
  if (end < 0 || body === undefined) throw new Error("an answer must say how long it is");
  return end + END_OF_HEAD.length + Number(body);
}
