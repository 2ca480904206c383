import { randomBytes } from "node:crypto";

/** A key of 16 bytes as four words. */
export type KeyWords = Uint32Array;

/** Words of an entry that come before its value: the key, and when it may go in Unix seconds. */
const HEAD = 5;
const SHARDS = 4096;
/** Slots of a shard with its first entries. */
const LEAST = 8;
/**
 * How full a shard may be, or a search would run on for long, and by how much it grows then: together they say how much
 * lies idle. With values there is more to an entry, and so less room for that; an entry takes 27 to 38 bytes.
 */
const [FULLEST, GROWTH] = [0.75, 1.25];
const [FULLEST_WITH_VALUES, GROWTH_WITH_VALUES] = [0.85, 1.15];
const TWO_32 = 4_294_967_296;
/** Stands for an entry that never goes, and is the greatest number of a word. */
const NEVER = 4_294_967_295;

/**
 * A moment in Unix milliseconds as whole seconds of one word, never too early. What is past the last second but one of a
 * word, or no finite number, is never: cut to its lowest bits, a far moment would lie in the past. No entry has 0,
 * which marks a slot that is free.
 */
export function expiryOf(until: number): number {
  const seconds = Math.ceil(until / 1000);
  return Number.isFinite(seconds) && seconds < NEVER ? Math.max(1, seconds) : NEVER;
}

/** Reads a key of 16 bytes. */
export function readKey(key: Uint8Array, into: KeyWords): KeyWords {
  for (let word = 0; word < 4; word++) {
    const at = word * 4;
    into[word] =
      (key[at] as number) |
      ((key[at + 1] as number) << 8) |
      ((key[at + 2] as number) << 16) |
      ((key[at + 3] as number) << 24);
  }
  return into;
}

/** Reads a key that stands in the first 16 characters of a text, one byte each. */
export function readKeyText(key: string, into: KeyWords): KeyWords {
  for (let word = 0; word < 4; word++) {
    const at = word * 4;
    into[word] =
      key.charCodeAt(at) |
      (key.charCodeAt(at + 1) << 8) |
      (key.charCodeAt(at + 2) << 16) |
      (key.charCodeAt(at + 3) << 24);
  }
  return into;
}

/**
 * Keys with the second in which each may go, and a whole number (`value`) with each if it is asked for. It lies in typed
 * arrays: an object for each entry would take four times the room, and stop the process while garbage is collected.
 * Many small shards grow one by one, so that no growth takes long.
 */
export class CompactTable {
  readonly #stride: number;
  readonly #fullest: number;
  readonly #growth: number;
  readonly #shards: (Uint32Array | undefined)[] = new Array(SHARDS).fill(undefined);
  readonly #counts = new Uint32Array(SHARDS);
  /** Odd and random, so that nobody can choose ids that all fall into one place. */
  readonly #seed: Uint32Array;
  #entries = 0;
  #words = 0;
  #swept = 0;

  constructor(hasValues: boolean) {
    this.#stride = hasValues ? HEAD + 2 : HEAD;
    this.#fullest = hasValues ? FULLEST_WITH_VALUES : FULLEST;
    this.#growth = hasValues ? GROWTH_WITH_VALUES : GROWTH;
    const seed = randomBytes(20);
    this.#seed = Uint32Array.from({ length: 5 }, (_, at) => seed.readUInt32LE(at * 4) | 1);
  }

  /** How many entries it holds, with those that may go and are not yet swept. */
  get entries(): number {
    return this.#entries;
  }

  /** How many bytes its arrays take. */
  get bytes(): number {
    return this.#words * 4 + SHARDS * 12;
  }

  /** Adds an entry. Of one that is there the later expiry and the greater value stay. `until` is Unix milliseconds. */
  set(key: KeyWords, until: number, value = 0): void {
    const hash = this.#hash(key);
    const at = hash >>> 20;
    let shard = this.#shards[at];
    if (shard === undefined || (this.#counts[at] as number) >= (shard.length / this.#stride) * this.#fullest) {
      // Room is made before it is known whether the key is there: at worst a shard grows by one entry early.
      const slots = shard ? shard.length / this.#stride : 0;
      shard = this.#rebuild(at, Math.max(LEAST, slots + 4, Math.ceil(slots * this.#growth)), 0);
    }
    const offset = this.#find(shard, key, hash);
    const expiry = expiryOf(until);
    if (shard[offset + 4] === 0) {
      shard.set(key, offset);
      this.#counts[at] = (this.#counts[at] as number) + 1;
      this.#entries++;
    }
    if (expiry > (shard[offset + 4] as number)) shard[offset + 4] = expiry;
    if (this.#stride > HEAD && value > this.#valueAt(shard, offset)) {
      shard[offset + 5] = Math.floor(value / TWO_32);
      shard[offset + 6] = value % TWO_32;
    }
  }

  /** Whether there is an entry. One that may go may still be found. */
  has(key: KeyWords): boolean {
    const hash = this.#hash(key);
    const shard = this.#shards[hash >>> 20];
    return shard !== undefined && shard[this.#find(shard, key, hash) + 4] !== 0;
  }

  /** The value of an entry, 0 where there is none. */
  get(key: KeyWords): number {
    const hash = this.#hash(key);
    const shard = this.#shards[hash >>> 20];
    return shard === undefined ? 0 : this.#valueAt(shard, this.#find(shard, key, hash));
  }

  /** Looks through the next few of all shards, and takes out what may go at `now` (Unix milliseconds). */
  sweep(now: number, shards: number): void {
    const second = Math.min(Math.floor(now / 1000), NEVER - 1);
    for (let each = 0; each < shards; each++) {
      const at = this.#swept;
      this.#swept = (at + 1) % SHARDS;
      const shard = this.#shards[at];
      if (shard === undefined) continue;
      const count = this.#counts[at] as number;
      let kept = 0;
      for (let offset = 4; offset < shard.length; offset += this.#stride)
        if ((shard[offset] as number) > second) kept++;
      if (kept === 0) this.#drop(at, shard);
      // A few that may go are not worth the copying.
      else if (count > kept && (count - kept) * 16 >= count)
        this.#rebuild(at, Math.max(LEAST, Math.ceil((kept / this.#fullest) * 1.1)), second);
    }
  }

  #drop(at: number, shard: Uint32Array): void {
    this.#entries -= this.#counts[at] as number;
    this.#words -= shard.length;
    this.#counts[at] = 0;
    this.#shards[at] = undefined;
  }

  #valueAt(shard: Uint32Array, offset: number): number {
    return (shard[offset + 5] as number) * TWO_32 + (shard[offset + 6] as number);
  }

  /** A sum of products would be quicker, and keys that differ in their upper bits alone would meet whatever the numbers are. */
  #hash(key: KeyWords): number {
    const seed = this.#seed;
    let hash = seed[4] as number;
    for (let word = 0; word < 4; word++) {
      hash = Math.imul(hash ^ (key[word] as number), seed[word] as number);
      hash ^= hash >>> 15;
    }
    return hash >>> 0;
  }

  /** Where a key is in a shard, or the free slot in which it would be. */
  #find(shard: Uint32Array, key: KeyWords, hash: number): number {
    const stride = this.#stride;
    const { length } = shard;
    const [first, second, third, fourth] = [key[0], key[1], key[2], key[3]];
    // The upper bits have chosen the shard.
    const spread = Math.imul(hash ^ (hash >>> 15), this.#seed[4] as number) >>> 0;
    let offset = Math.floor((spread * (length / stride)) / TWO_32) * stride;
    while (shard[offset + 4] !== 0) {
      if (
        shard[offset] === first &&
        shard[offset + 1] === second &&
        shard[offset + 2] === third &&
        shard[offset + 3] === fourth
      )
        return offset;
      offset += stride;
      if (offset === length) offset = 0;
    }
    return offset;
  }

  /** Copies what a shard holds into one of another size, without what may go at a second; 0 keeps all. */
  #rebuild(at: number, slots: number, second: number): Uint32Array {
    const stride = this.#stride;
    const old = this.#shards[at];
    const shard = new Uint32Array(slots * stride);
    let count = 0;
    const key = new Uint32Array(4);
    for (let from = 0; old !== undefined && from < old.length; from += stride) {
      if ((old[from + 4] as number) <= second) continue;
      for (let word = 0; word < 4; word++) key[word] = old[from + word] as number;
      const to = this.#find(shard, key, this.#hash(key));
      for (let word = 0; word < stride; word++) shard[to + word] = old[from + word] as number;
      count++;
    }
    this.#words += shard.length - (old?.length ?? 0);
    this.#entries += count - (this.#counts[at] as number);
    this.#counts[at] = count;
    this.#shards[at] = shard;
    return shard;
  }
}
