import fc from "fast-check";
import type { RevocationQuery } from "jwt-extended";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { FeedEntry, Revocation } from "../../src/stores/contract.ts";
import { about, login } from "../../src/testing/store-cases.ts";
import { type ReplicaLab, replicaLab } from "../support/replica-lab.ts";

/** Milliseconds: the bound, the drift of clocks that goes unnoticed, and what an answer takes. */
const BOUND = 5_000 + 1_000 + 1_200;
const HOUR = 3_600_000;
const FOREVER = Number.POSITIVE_INFINITY;
const SUBJECTS = ["ada", "bob", "eve"];

/** A token, and what is certain about it. */
interface Token {
  readonly query: RevocationQuery;
  /** True milliseconds at which its revocation was acknowledged. */
  revokedAt: number | undefined;
  /** Whether this process revoked it, and so lets it in never again. */
  isOwn: boolean;
  /** Whether it did so by name, which it knows whatever the store forgets. */
  isKnown: boolean;
  /** Whether the store may have lost its revocation before anybody heard of it. */
  isLost: boolean;
}

const which = fc.nat(40);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom("login", "mint"), which, isOwn: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constantFrom("token", "session", "subject", "key", "everything"),
      which,
      isOwn: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ what: fc.constant("pass"), ms: fc.integer({ min: 1, max: 4_000 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constantFrom(
        "cut",
        "hang",
        "slow",
        "silent",
        "truncate",
        "reverse",
        "drop",
        "empty",
        "down",
        "heal",
        "heal",
      ),
      ms: fc.integer({ min: 1, max: 700 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constantFrom("stop", "sleep"), ms: fc.integer({ min: 100, max: 60_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constantFrom("storeClock", "wallClock"),
      ms: fc.constantFrom(HOUR, -HOUR, 10 * 365 * 24 * HOUR, -10 * 365 * 24 * HOUR),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("rewind", "trim", "forget"), ms: fc.nat(5) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T & { which?: number; isOwn?: boolean; ms?: number } : never;

const bend = (change: (entries: readonly FeedEntry[]) => readonly FeedEntry[]) => (call: string, answer: never) =>
  call === "since" ? change(answer) : answer;
const BENT: Readonly<Record<string, ReturnType<typeof bend>>> = {
  truncate: bend((entries) => entries.slice(0, 1)),
  reverse: bend((entries) => entries.toReversed()),
  drop: bend((entries) => entries.filter((_, at) => at !== 1)),
  empty: bend(() => []),
};

class Model {
  readonly lab: ReplicaLab;
  readonly tokens: Token[] = [];
  /** Whether the store has lost revocations, and with them perhaps those of this second. */
  #hasLost = false;
  constructor(partitions: number) {
    this.lab = replicaLab({ partitions });
  }

  /** Opens a session: what is revoked before the first in a store, in memory, may spare the second in which it was made. */
  async begin(): Promise<void> {
    await this.lab.pass(1);
    await this.lab.store.open(login("nobody", this.lab.storeClock as never));
  }

  async run({ what, which = 0, isOwn = false, ms = 0 }: Step): Promise<void> {
    const { lab } = this;
    const { faults } = lab;
    const subject = SUBJECTS[which % SUBJECTS.length] as string;
    if (what === "login") {
      const { sid } = await lab.store.open(login(subject, lab.storeClock as never));
      this.#add(about(subject, { sid, jti: `${this.tokens.length}`, kid: `k${this.tokens.length}` }));
    } else if (what === "mint") {
      const iat = Math.floor(lab.storeClock() / 1000);
      const issuer = isOwn ? "else" : undefined;
      this.#add(about(subject, { jti: `${this.tokens.length}`, iat, issuer, kid: `k${this.tokens.length}` }));
    } else if (what === "pass") await lab.pass(ms);
    else if (what === "cut") faults.isCut = true;
    else if (what === "hang") faults.isHung = true;
    else if (what === "slow") faults.delay = ms;
    else if (what === "silent") faults.isSilent = true;
    else if (what === "down") lab.isDown = true;
    else if (what === "heal") this.heal();
    else if (what === "stop" || what === "sleep") lab.halt(ms, what === "sleep");
    else if (what === "storeClock") lab.moveStoreClock(ms);
    else if (what === "wallClock") lab.moveWallClock(ms);
    else if (what === "trim") lab.changes.forEach((_, partition) => void lab.trim(partition, ms));
    else if (what === "rewind") {
      lab.changes.forEach((_, partition) => void (ms > 0 && lab.rewind(partition, ms, true)));
      this.#hasLost = true;
      for (const token of this.tokens) token.isLost ||= token.revokedAt !== undefined && !token.isKnown;
    } else if (what === "forget") {
      if (lab.forget()) await this.#revoked(() => true, false);
      await this.begin();
    } else if (what in BENT) faults.bend = BENT[what];
    else await this.#revoke(what, which, isOwn, subject);
  }

  heal(): void {
    Object.assign(this.lab.faults, { isCut: false, isHung: false, delay: 0, isSilent: false, bend: undefined });
    this.lab.isDown = false;
  }

  #add(query: RevocationQuery): void {
    this.tokens.push({ query, revokedAt: undefined, isOwn: false, isKnown: false, isLost: this.#hasLost });
  }

  async #revoke(kind: string, which: number, isOwn: boolean, subject: string): Promise<void> {
    const token = this.tokens[which % Math.max(1, this.tokens.length)]?.query;
    const { sid, jti = "", issuer, kid = "" } = token ?? {};
    let revocation: Revocation;
    let isDead: (query: RevocationQuery) => boolean;
    if (kind === "token") {
      revocation = { kind, jti, issuer, until: FOREVER };
      isDead = (query) => query.jti === jti && query.issuer === issuer;
    } else if (kind === "session") {
      if (sid === undefined) return;
      revocation = { kind, sid, until: FOREVER };
      isDead = (query) => query.sid === sid;
    } else if (kind === "key") {
      revocation = { kind, kid, until: FOREVER };
      isDead = (query) => query.kid === kid;
    } else if (kind === "subject") {
      revocation = { kind, subject, until: FOREVER };
      isDead = (query) => query.subject === subject;
    } else {
      revocation = { kind: "everything", until: FOREVER };
      isDead = () => true;
    }
    await (isOwn ? this.lab.replica : this.lab.store).revoke(revocation);
    await this.#revoked(isDead, isOwn, isOwn && kind !== "subject" && kind !== "everything");
  }

  /** Every token there is was made before. But a clock that moved back makes those without a session look younger. */
  async #revoked(isDead: (query: RevocationQuery) => boolean, isOwn: boolean, isKnown = false): Promise<void> {
    const now = this.#now();
    for (const token of this.tokens) {
      if (!isDead(token.query) || !(await this.lab.store.isRevoked(token.query))) continue;
      token.revokedAt = Math.min(token.revokedAt ?? now, now);
      token.isOwn ||= isOwn;
      token.isKnown ||= isKnown;
    }
  }

  /** True milliseconds, whatever the clocks say. */
  #now(): number {
    return this.lab.trueNow();
  }

  /** Holds the answers about all tokens against what is certain. */
  async check(): Promise<void> {
    const { lab, tokens } = this;
    const askedAt = this.#now();
    const verdicts = await lab.askAll(tokens.map(({ query }) => query));
    for (const [at, { query, revokedAt, isOwn, isLost }] of tokens.entries()) {
      const verdict = verdicts[at];
      const isDead = await lab.store.isRevoked(query);
      if (verdict === true) expect([query, isDead || revokedAt !== undefined]).toEqual([query, true]);
      if (verdict !== false || revokedAt === undefined || isLost || !isDead) continue;
      expect([query, askedAt - revokedAt <= BOUND && !isOwn]).toEqual([query, true]);
    }
  }

  /** In the end, once nothing is wrong any more, the copy says what the store says. */
  async settle(): Promise<void> {
    const { lab } = this;
    this.heal();
    await lab.pass(200_000);
    expect(lab.replica.isFresh).toBe(true);
    for (const { query, isLost, revokedAt } of this.tokens) {
      const known = lab.replica.isRevoked(query);
      const isDead = await lab.store.isRevoked(query);
      if (!isLost && known !== isDead) expect([query, known, revokedAt !== undefined]).toEqual([query, true, true]);
    }
  }
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a replica, whatever happens", () => {
  it.each([1, 3])(
    "never lets in for longer than its bound what was revoked, and nothing good is refused (%d partitions)",
    { timeout: 300_000 },
    async (partitions) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
          const model = new Model(partitions);
          try {
            await model.begin();
            await model.lab.pass(500);
            for (const each of steps) {
              await model.run(each as Step);
              await model.check();
            }
            await model.settle();
          } finally {
            model.lab.replica.close();
            vi.restoreAllMocks();
            vi.useRealTimers();
          }
        }),
        { numRuns: 100 },
      );
    },
  );
});
