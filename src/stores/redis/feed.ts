import type { FeedEntry, FeedTip, LiveEntry, LivePage, RevocationFeed } from "../contract.ts";
import { EVERYTHING } from "../keys.ts";
import { text } from "./client.ts";
import { PAGE, SINCE, TIP } from "./feed-scripts.ts";
import type { Calls } from "./runner.ts";

/** Entries in one answer, while which Redis serves nobody else. */
const MOST = 1000;
/** Before the first entry of a page. */
const START = "-inf ";

/** The feed of revocations. Numbers and entries are read by scripts, so from the primary and in the generation known. */
export function createFeed({ run, partitions }: Calls, watch: RevocationFeed["watch"]): RevocationFeed {
  const histories = Array.from({ length: partitions }, () => createHistory());
  const feed: RevocationFeed = {
    partitions,
    async tip(partition): Promise<FeedTip> {
      const answer = ((await run(partition, TIP, [])) as unknown[]).map(text);
      const [generation, number, mark, now, everything, everythingSecond] = answer as [string, ...string[]];
      const seq = numberOf(number);
      const history = histories[partition] as History;
      if (!history.agrees(seq, String(mark))) {
        history.fork();
        history.agrees(seq, String(mark));
      }
      return {
        generation: history.branch === 0 ? generation : `${generation}.${history.branch}`,
        seq,
        now: numberOf(now),
        everything: numberOf(everything),
        everythingSecond: numberOf(everythingSecond),
      };
    },
    async since(partition, seq, limit): Promise<readonly FeedEntry[]> {
      const args = [String(seq), String(Math.min(limit, MOST))];
      const [mark, found] = (await run(partition, SINCE, args)) as [unknown, [id: unknown, fields: unknown[]][]];
      const history = histories[partition] as History;
      try {
        if (text(mark) !== "") checkMark(seq, text(mark), history);
        return found.map(([id, fields], each) => {
          const wanted = seq + each + 1;
          if (text(id) !== `${wanted}-0`) throw new Error(`the feed has no change ${wanted} any more`);
          return entryOf(wanted, fields.map(text), history);
        });
      } catch (error) {
        history.fork();
        throw error;
      }
    },
    async live(partition, cursor, limit): Promise<LivePage> {
      const most = Math.min(limit, MOST) - (cursor === undefined ? 1 : 0);
      const args = [...(cursor ?? START).split(" "), String(most)];
      const [everything, ...found] = ((await run(partition, PAGE, args)) as unknown[]).map(text);
      const entries: LiveEntry[] = [];
      if (cursor === undefined) entries.push(liveOf(EVERYTHING, numberOf(everything), Number.POSITIVE_INFINITY));
      for (let at = 0; at < found.length; at += 3) {
        const [key, until, epoch] = found.slice(at, at + 3);
        entries.push(liveOf(keyOf(key), epoch === "" ? undefined : numberOf(epoch), numberOf(until)));
      }
      if (found.length < most * 3) return { entries, next: undefined };
      return { entries, next: most === 0 ? START : `${found.at(-2)} ${found.at(-3)}` };
    },
  };
  return watch ? { ...feed, watch } : feed;
}

/** What a process was told of a partition's changes, so that it finds out where others took their numbers. */
interface History {
  /** How often that happened, or the feed could not be read: readers then begin anew, as with another generation. */
  readonly branch: number;
  fork(): void;
  /** Whether this mark, which stands for all changes up to a number, is the one that was told before, if any was. */
  agrees(seq: number, mark: string): boolean;
}

const REMEMBERED = 256;

function createHistory(): History {
  const marks = new Map<number, string>();
  let branch = 0;
  return {
    get branch() {
      return branch;
    },
    fork() {
      branch++;
      marks.clear();
    },
    agrees(seq, mark) {
      if ((marks.get(seq) ?? mark) !== mark) return false;
      marks.delete(seq);
      marks.set(seq, mark);
      for (const old of marks.keys()) if (marks.size > REMEMBERED) marks.delete(old);
      return true;
    },
  };
}

/** A change as a script wrote it. @throws Error for one that is damaged, foreign or of a later version */
function entryOf(seq: number, fields: readonly string[], history: History): FeedEntry {
  const [, version, , kind, , key, , epoch, , until, , mark] = fields as readonly [string, ...string[]];
  const names = fields.filter((_, at) => at % 2 === 0).join();
  if (names !== "v,kind,key,epoch,until,mark" || version !== "1")
    throw new Error(`change ${seq} is of a later version`);
  if (!(kind === "epoch" || (kind === "flag" && epoch === ""))) throw new Error(`change ${seq} is of an unknown kind`);
  checkMark(seq, String(mark), history);
  const live = liveOf(keyOf(key), kind === "epoch" ? numberOf(epoch) : undefined, numberOf(until));
  return { ...live, seq };
}

/** @throws Error where others have taken the number since it was told */
function checkMark(seq: number, mark: string, history: History): void {
  if (!history.agrees(seq, mark)) throw new Error(`the store has lost change ${seq} that it had told`);
}

const liveOf = (key: Uint8Array, epoch: number | undefined, until: number): LiveEntry =>
  epoch === undefined ? { kind: "flag", key, until } : { kind: "epoch", key, epoch, until };

/** @throws Error for anything but a number that was written here */
function numberOf(value: string | undefined): number {
  if (value === "inf") return Number.POSITIVE_INFINITY;
  const number = Number(value);
  if (value === "" || !Number.isFinite(number)) throw new Error("Redis holds a number that cannot be read");
  return number;
}

function keyOf(key: string | undefined): Uint8Array {
  if (!/^[\w-]{21}[AQgw]$/.test(key ?? "")) throw new Error("Redis holds a key that cannot be read");
  return new Uint8Array(Buffer.from(key as string, "base64url"));
}
