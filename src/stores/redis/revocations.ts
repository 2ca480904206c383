import { EVERYTHING, storeKey, tokenKey } from "../keys.ts";
import { sessionBirth } from "../session-id.ts";
import { keyPartition, sessionPartition, textKey } from "./keys.ts";
import type { RedisStore } from "./options.ts";
import { IS_REVOKED, REVOKE, SPEND } from "./revocation-scripts.ts";
import { numberText, untilText } from "./rows.ts";
import type { Calls } from "./runner.ts";

/** The revocations of a store, and the names that are taken. */
export function revocationsOf({
  run,
  everywhere,
  partitions,
  channels,
}: Calls): Pick<RedisStore, "isRevoked" | "revoke" | "spend"> {
  const tell = (partition: number, kind: string, key: Buffer, until: number, sid = ""): Promise<unknown> => {
    const args = [channels[partition] as string, kind, textKey(key), untilText(until), sid];
    return run(partition, REVOKE, args, true);
  };
  return {
    async isRevoked({ jti, sid, subject, issuer, kid, iat }) {
      const born = sid === undefined ? undefined : sessionBirth(sid);
      if (sid !== undefined && born === undefined) return true;
      const session = [sid === undefined ? "" : "1", numberText(born), Number.isFinite(iat) ? numberText(iat) : ""];
      const ended = sid === undefined ? [] : [textKey(storeKey("session", sid))];
      const entries = [...ended];
      if (jti !== undefined) entries.push(textKey(tokenKey(jti, issuer)));
      if (kid !== undefined) entries.push(textKey(storeKey("key", kid)));
      const home = sid === undefined ? 0 : sessionPartition(sid, partitions);
      const key = subject === undefined ? undefined : storeKey("subject", subject);
      const partition = key ? keyPartition(key, partitions) : home;
      const asked = [run(partition, IS_REVOKED, [...session, key ? textKey(key) : "", ...entries])];
      // A token of a session may be made for another subject than the session's own.
      if (sid !== undefined && home !== partition) asked.push(run(home, IS_REVOKED, [...session, "", ...ended]));
      return (await Promise.all(asked)).some((answer) => Number(answer) !== 0);
    },
    async revoke(revocation) {
      const { kind, until } = revocation;
      if (kind === "session") {
        const { sid } = revocation;
        await tell(sessionPartition(sid, partitions), kind, storeKey(kind, sid), until, sid);
      } else if (kind === "subject") {
        const key = storeKey(kind, revocation.subject);
        await tell(keyPartition(key, partitions), kind, key, until);
      } else {
        let key = EVERYTHING;
        if (kind === "key") key = storeKey(kind, revocation.kid);
        else if (kind === "token") key = tokenKey(revocation.jti, revocation.issuer);
        // Whose token it is, is not known: every partition is told, so that the check needs one only.
        await everywhere((partition) => tell(partition, kind, key, until));
      }
    },
    async spend(name, until) {
      const key = storeKey("spent", name);
      return Number(await run(keyPartition(key, partitions), SPEND, [textKey(key), untilText(until)])) === 1;
    },
  };
}
