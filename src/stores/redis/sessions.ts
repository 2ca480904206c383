import { randomBytes } from "node:crypto";
import type { Rotation } from "../contract.ts";
import { storeKey } from "../keys.ts";
import { assertAwaited } from "../rotation.ts";
import { text } from "./client.ts";
import { keyPartition, sessionPartition, sessionTail, textKey } from "./keys.ts";
import type { RedisStore } from "./options.ts";
import { decodeRow, fixedText, numberText, optionalText, untilText } from "./rows.ts";
import type { Calls } from "./runner.ts";
import { LIST, OPEN, PUNISH, READ, ROTATE, TOUCH } from "./session-scripts.ts";

/** The sessions of a store. */
export function sessionsOf({
  run,
  partitions,
  channels,
}: Calls): Pick<RedisStore, "open" | "rotate" | "read" | "list" | "touch"> {
  const ofSession = (sid: string): number => sessionPartition(sid, partitions);
  return {
    async open(session) {
      const { subject, issuedAt, refreshExp, absoluteEnd, jkt, userAgent, address } = session;
      const key = storeKey("subject", subject);
      const name = [textKey(key), sessionTail(key), JSON.stringify(subject)];
      const times = [issuedAt, refreshExp, absoluteEnd].map(numberText);
      const fixed = fixedText({ ...session, csrfSeed: randomBytes(16) });
      const args = [...name, ...times, ...[jkt, userAgent, address].map(optionalText), fixed];
      const [sid, row] = ((await run(keyPartition(key, partitions), OPEN, args)) as unknown[]).map(text);
      return decodeRow(sid as string, row as string);
    },
    async rotate(presented) {
      const { sid, subject, gen, nonce, jkt, issuedAt, refreshExp, grace, userAgent, address } = presented;
      const partition = ofSession(sid);
      const args = [
        sid,
        JSON.stringify(subject),
        numberText(gen),
        JSON.stringify(nonce),
        optionalText(jkt),
        numberText(issuedAt),
        numberText(refreshExp),
        numberText(grace),
        optionalText(userAgent),
        optionalText(address),
      ];
      let answer = text(await run(partition, ROTATE, args));
      if (answer.startsWith("reused")) {
        // A command may wait in the client for long; theft is written only for a caller who still waits.
        assertAwaited(presented);
        const ending = [
          channels[partition] as string,
          textKey(storeKey("session", sid)),
          untilText(presented.endedUntil),
        ];
        answer = text(await run(partition, PUNISH, [...args, ...ending], true));
      }
      const end = answer.indexOf("\n");
      if (end < 0) return { outcome: answer, row: undefined } as Rotation;
      return { outcome: answer.slice(0, end), row: decodeRow(sid, answer.slice(end + 1)) } as Rotation;
    },
    async read(sid) {
      const lines = text(await run(ofSession(sid), READ, [sid]));
      return lines === "" ? undefined : decodeRow(sid, lines);
    },
    async list(subject) {
      const key = storeKey("subject", subject);
      const found = ((await run(keyPartition(key, partitions), LIST, [textKey(key)])) as unknown[]).map(text);
      const rows = found.flatMap((sid, at) => (at % 2 === 0 ? [decodeRow(sid, found[at + 1] as string)] : []));
      return rows.sort((a, b) => b.born - a.born);
    },
    async touch(sid) {
      await run(ofSession(sid), TOUCH, [sid]);
    },
  };
}
