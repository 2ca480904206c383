import { useEffect, useRef, useState } from "preact/hooks";
import { ask } from "../login/ask.ts";
import type { User } from "./users.tsx";

/** The names of users by their ids, read one time each. Users who are gone keep a short form of their id. */
export function useNames(ids: readonly (string | null)[]): (id: string) => string {
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const asked = useRef(new Set<string>());
  useEffect(() => {
    const unknown = [...new Set(ids)].filter((id) => id !== null).filter((id) => !asked.current.has(id));
    for (const id of unknown) {
      asked.current.add(id);
      void ask<User>(`/admin/users/${encodeURIComponent(id)}`).then(({ ok, body }) => {
        if (ok) setNames((known) => new Map([...known, [id, body.name]]));
      });
    }
  });
  return (id) => names.get(id) ?? id.slice(0, 8);
}
