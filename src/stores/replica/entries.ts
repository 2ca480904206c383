import type { FeedEntry, FeedTip, LiveEntry, LivePage } from "../contract.ts";

/** What a feed tells and does not follow from what it told before: the copy has to be made anew. */
export class Irregular extends Error {}

const isMoment = (value: unknown): boolean => typeof value === "number" && value >= 0 && !Number.isNaN(value);
const isEpoch = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** @throws Irregular for anything but a tip */
export function readTip(answer: unknown): FeedTip {
  const tip = (answer ?? {}) as Partial<FeedTip>;
  const { generation, seq, now, everything, everythingSecond } = tip;
  if (typeof generation !== "string" || generation === "") throw new Irregular("the tip of the feed has no generation");
  if (!isEpoch(seq)) throw new Irregular("the tip of the feed has no number");
  if (!isMoment(now) || now === Number.POSITIVE_INFINITY) throw new Irregular("the tip of the feed has no time");
  if (!isEpoch(everything) || !Number.isSafeInteger(everythingSecond))
    throw new Irregular("the tip of the feed has no epoch of everything");
  return tip as FeedTip;
}

/** @throws Irregular for anything but entries that can be understood */
function checkEntry(entry: unknown, where: string): asserts entry is LiveEntry {
  const { kind, key, until, epoch } = (entry ?? {}) as Record<string, unknown>;
  if (!(key instanceof Uint8Array) || key.length !== 16) throw new Irregular(`${where} has no key of 16 bytes`);
  if (!isMoment(until)) throw new Irregular(`${where} does not say how long it counts`);
  if (kind === "flag" || (kind === "epoch" && isEpoch(epoch))) return;
  throw new Irregular(kind === "epoch" ? `${where} has no epoch` : `${where} is of a kind that is not known`);
}

/** @throws Irregular for anything but a page */
export function readPage(answer: unknown, cursor: string | undefined): LivePage {
  const { entries, next } = (answer ?? {}) as Partial<LivePage>;
  if (!Array.isArray(entries)) throw new Irregular("a page of the snapshot is none");
  for (const entry of entries) checkEntry(entry, "an entry of the snapshot");
  if (next !== undefined && (typeof next !== "string" || next === cursor))
    throw new Irregular("a page of the snapshot does not say what comes after it");
  return answer as LivePage;
}

/** @throws Irregular for anything but the change of number `wanted` */
export function readChange(entry: unknown, wanted: number): FeedEntry {
  const { seq } = (entry ?? {}) as Partial<FeedEntry>;
  if (seq !== wanted) throw new Irregular(`the feed has ${String(seq).slice(0, 20)} where ${wanted} should be`);
  checkEntry(entry, `change ${wanted} of the feed`);
  return entry as FeedEntry;
}
