import type { FeedTip, LiveEntry, RevocationQuery } from "../contract.ts";
import { EVERYTHING, keyText } from "../keys.ts";
import { sessionBirth } from "../session-id.ts";
import { CompactTable, readKey, readKeyText } from "./table.ts";

/** How many of the 4096 shards of a table are swept at a time: copying a large one takes a tenth of a millisecond. */
const SWEPT = 16;

/** What this process knows to be revoked. It only ever learns; what may go is swept out, and nothing else is taken back. */
export class Revoked {
  readonly #flags = new CompactTable(false);
  readonly #epochs = new CompactTable(true);
  readonly #key = new Uint32Array(4);
  /** The epoch of everything in each partition, and the second up to which tokens without a session are dead. */
  readonly #all: { epoch: number; second: number }[];
  #revision = 0;
  #everything = Number.NEGATIVE_INFINITY;
  #everythingSecond = Number.NEGATIVE_INFINITY;

  constructor(partitions: number) {
    const never = Number.NEGATIVE_INFINITY;
    this.#all = Array.from({ length: partitions }, () => ({ epoch: never, second: never }));
  }

  get entries(): number {
    return this.#flags.entries + this.#epochs.entries;
  }

  get bytes(): number {
    return this.#flags.bytes + this.#epochs.bytes;
  }

  /** Changes with everything that is learnt. */
  get revision(): number {
    return this.#revision;
  }

  /** Learns an entry of a snapshot or of the feed. */
  add(entry: LiveEntry, partition: number): void {
    this.#revision++;
    if (entry.kind === "flag") this.flag(entry.key, entry.until);
    else if (EVERYTHING.equals(entry.key)) this.#raise(partition, entry.epoch, Math.floor(entry.epoch / 1000));
    else this.#epochs.set(readKey(entry.key, this.#key), entry.until, entry.epoch);
  }

  /** Learns that a token, a session or a key is revoked until then, in Unix milliseconds. */
  flag(key: Uint8Array, until: number): void {
    this.#revision++;
    this.#flags.set(readKey(key, this.#key), until);
  }

  /** Learns the epoch of everything. */
  see({ everything, everythingSecond }: FeedTip, partition: number): void {
    this.#raise(partition, everything, everythingSecond);
  }

  #raise(partition: number, epoch: number, second: number): void {
    const known = this.#all[partition] as { epoch: number; second: number };
    if (epoch < known.epoch || (epoch === known.epoch && second === known.second)) return;
    this.#revision++;
    // Of one epoch the last word counts: a tip knows best what became of the second in which a store was made.
    this.#all[partition] = { epoch, second: epoch === known.epoch ? second : Math.max(known.second, second) };
    this.#everything = Math.max(...this.#all.map((each) => each.epoch));
    this.#everythingSecond = Math.max(...this.#all.map((each) => each.second));
  }

  /** Whether a token is revoked, as far as this process knows. */
  has({ jti, sid, subject, issuer, kid, iat }: RevocationQuery): boolean {
    if (jti !== undefined && this.#isFlagged(keyText(issuer === undefined ? "token" : "foreign", jti, issuer))) {
      return true;
    }
    if (kid !== undefined && this.#isFlagged(keyText("key", kid))) return true;
    if (sid !== undefined && this.#isFlagged(keyText("session", sid))) return true;
    const own = subject === undefined || this.#epochs.entries === 0 ? 0 : this.#epochOf(subject);
    if (sid !== undefined) {
      const born = sessionBirth(sid);
      return born === undefined || born <= Math.max(this.#everything, own);
    }
    // Without a session only the second of the making is known: the whole second of an epoch dies.
    return iat === undefined || iat <= Math.max(this.#everythingSecond, Math.floor(own / 1000));
  }

  #isFlagged(key: string): boolean {
    return this.#flags.has(readKeyText(key, this.#key));
  }

  #epochOf(subject: string): number {
    return this.#epochs.get(readKeyText(keyText("subject", subject), this.#key));
  }

  /** Takes out some of what may go by `now`, in Unix milliseconds of the store's clock. */
  sweep(now: number): void {
    this.#flags.sweep(now, SWEPT);
    this.#epochs.sweep(now, SWEPT);
  }
}
