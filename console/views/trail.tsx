import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../login/ask.ts";
import { follow } from "../login/stream.ts";
import { Card } from "../parts/parts.tsx";
import { Moment } from "../parts/time.tsx";
import { useVisible } from "../parts/visible.ts";
import { useNames } from "./names.ts";

/** One entry of the audit trail. `at` in Unix milliseconds. */
export interface Entry {
  readonly id: string;
  readonly at: number;
  readonly kind: string;
  readonly outcome: string;
  readonly subject: string | null;
  readonly actor: string | null;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly detail: string | null;
}

/** How many entries are shown, and how often those that came are put in, in milliseconds. */
const SHOWN = 100;
const EVERY_MS = 250;

const merged = (come: readonly Entry[], known: readonly Entry[]): readonly Entry[] =>
  [...new Map([...known, ...come].map((entry) => [entry.id, entry])).values()]
    .sort((one, other) => (one.id < other.id ? 1 : -1))
    .slice(0, SHOWN);

interface TrailProps {
  readonly hear: (entries: readonly Entry[]) => void;
}

/** The audit trail, live. */
export function Trail({ hear }: TrailProps) {
  const [isPaused, setPaused] = useState(false);
  const isVisible = useVisible();
  const [isLive, setLive] = useState(false);
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const tell = useRef(hear);
  tell.current = hear;
  useEffect(() => {
    if (isPaused || !isVisible) return undefined;
    const over = new AbortController();
    let come: Entry[] = [];
    const timer = setInterval(() => {
      const batch = come;
      if (batch.length === 0) return;
      come = [];
      setEntries((known) => merged(batch, known));
      tell.current(batch);
    }, EVERY_MS);
    /** What came while nobody listened. */
    const catchUp = async (): Promise<void> => {
      const { ok, body } = await ask<{ readonly entries: readonly Entry[] }>(`/admin/audit?limit=${SHOWN}`);
      if (ok && !over.signal.aborted) setEntries((known) => merged(body.entries, known));
    };
    void follow(
      "/admin/events",
      ({ name, data }) => name === "audit" && come.push(data as Entry),
      over.signal,
      (isOpen) => {
        setLive(isOpen);
        if (isOpen) void catchUp();
      },
    ).then(() => setLive(false));
    return () => {
      over.abort();
      clearInterval(timer);
    };
  }, [isPaused, isVisible]);
  return (
    <Card title="Audit trail">
      <div class="buttons">
        <button type="button" onClick={() => setPaused(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
        <p role="status" class={`live ${isLive && !isPaused ? "good" : "hint"}`}>
          {isPaused ? "paused" : isLive ? "live" : "connecting…"}
        </p>
      </div>
      <Entries entries={entries} />
    </Card>
  );
}

function Entries({ entries }: { readonly entries: readonly Entry[] }) {
  const nameOf = useNames(entries.flatMap(({ subject, actor }) => [subject, actor]));
  return (
    <ul class="rows trail">
      {entries.map(({ id, at, kind, outcome, subject, actor, detail, address, userAgent }) => (
        <li key={id}>
          <p>
            <strong>{kind}</strong> <span class={outcome === "ok" ? "good" : "bad"}>{outcome}</span>
            {subject && (
              <>
                {" "}
                <bdi>{nameOf(subject)}</bdi>
              </>
            )}
            {actor && (
              <>
                {" "}
                by <bdi>{nameOf(actor)}</bdi>
              </>
            )}
            {detail && <code> {detail}</code>}
          </p>
          <p class="hint foreign">
            <Moment at={at} />
            {address && <code> {address.slice(0, 8)}</code>} <bdi>{userAgent}</bdi>
          </p>
        </li>
      ))}
    </ul>
  );
}
