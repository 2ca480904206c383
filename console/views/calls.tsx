import { useState } from "preact/hooks";
import { ask } from "../login/ask.ts";
import { authFetch, currentMode } from "../login/client.ts";
import { Card } from "../parts/parts.tsx";

interface Entry {
  readonly id: number;
  readonly request: string;
  readonly outcome: string;
  readonly isGood: boolean;
  /** Milliseconds. */
  readonly ms: number;
  readonly body: unknown;
}

const ROUTES = [
  ["/protected", "for everybody who is signed in"],
  ["/fresh", "asks for the password when the login is old"],
  ["/admin", "for administrators"],
] as const;
const SHOWN = 8;

/** Calls routes behind guards, and shows what each answered. */
export function Calls() {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const note = (entry: Omit<Entry, "id">): void =>
    setEntries((known) => [{ ...entry, id: (known[0]?.id ?? 0) + 1 }, ...known].slice(0, SHOWN));
  const call = async (path: string): Promise<void> => {
    const { status, ok, ms, body } = await ask(path);
    note({ request: `GET ${path}`, outcome: status ? String(status) : "no answer", isGood: ok, ms, body });
  };
  const refresh = async (): Promise<void> => {
    const start = performance.now();
    const isAlive = await authFetch()
      .refresh()
      .catch(() => undefined);
    const outcome = isAlive ? "renewed" : isAlive === undefined ? "no answer" : "not renewed";
    note({
      request: "Refresh",
      outcome,
      isGood: isAlive === true,
      ms: Math.round(performance.now() - start),
      body: undefined,
    });
  };
  return (
    <Card title="Call the service">
      <ul class="calls">
        {ROUTES.map(([path, says]) => (
          <li key={path}>
            <button type="button" onClick={() => void call(path)}>
              GET {path}
            </button>
            <span class="hint">{says}</span>
          </li>
        ))}
      </ul>
      <div class="buttons">
        <button type="button" onClick={() => void refresh()}>
          Refresh now
        </button>
        <a class="button" href="/" target="_blank" rel="noopener">
          Open a second tab
        </a>
      </div>
      {currentMode() === "bearer" && (
        <p class="hint">The tokens are in the memory of this page: a second tab has to sign in itself.</p>
      )}
      <h3>Answers</h3>
      <div role="log" aria-label="Answers">
        {entries.length === 0 && <p class="hint">None yet.</p>}
        <ol class="answers">
          {entries.map(({ id, request, outcome, isGood, ms, body }) => (
            <li key={id}>
              <p>
                <code>{request}</code> <strong class={isGood ? "good" : "bad"}>{outcome}</strong>{" "}
                <span class="hint">{ms} ms</span>
              </p>
              {body !== undefined && <code class="body">{JSON.stringify(body)}</code>}
            </li>
          ))}
        </ol>
      </div>
    </Card>
  );
}
