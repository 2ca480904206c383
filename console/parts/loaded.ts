import { useCallback, useEffect, useState } from "preact/hooks";
import { ask, refusalOf } from "../login/ask.ts";
import type { Said } from "./parts.tsx";

/** Data of an address, and how to change them. */
export interface Loaded<T> {
  readonly data: T | undefined;
  /** What came of the last request, for a `Notice`. */
  readonly said: Said;
  readonly reload: () => Promise<void>;
  /** Sends something that changes the data, reads them anew, and says `done` where it worked. */
  readonly change: (path: string, method: string, done: string, fields?: object) => Promise<void>;
}

const NOTHING: Said = { text: "" };

/** Reads an address, and again when the address or `version` is another one. */
export function useLoaded<T>(path: string, version: unknown = 0): Loaded<T> {
  const [data, setData] = useState<T>();
  const [said, setSaid] = useState(NOTHING);
  const reload = useCallback(async () => {
    const answer = await ask<T>(path);
    setSaid(answer.ok ? NOTHING : { text: refusalOf(answer), isBad: true });
    if (answer.ok) setData(answer.body);
  }, [path]);
  const change = useCallback(
    async (to: string, method: string, done: string, fields?: object) => {
      const answer = await ask(to, method, fields);
      await reload();
      setSaid(answer.ok ? { text: done } : { text: refusalOf(answer), isBad: true });
    },
    [reload],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: the data are others when the version is
  useEffect(() => void reload(), [reload, version]);
  return { data, said, reload, change };
}
