import { useState } from "preact/hooks";
import { useLoaded } from "../parts/loaded.ts";
import { Card, Notice } from "../parts/parts.tsx";
import { Chart, type Row } from "./chart.tsx";
import { Trail } from "./trail.tsx";

const HOURS = [6, 24, 168];
const SHOWS_UP = ["login", "register"];

/** Logins and refusals over time, and the audit trail as it grows. */
export function ActivityView() {
  const [hours, setHours] = useState(24);
  const [changes, setChanges] = useState(0);
  const { data, said } = useLoaded<{ readonly rows: readonly Row[] }>(`/admin/activity?hours=${hours}`, changes);
  return (
    <>
      <Card title="Logins and refusals">
        <label class="choice">
          The last
          <select onChange={(event) => setHours(Number(event.currentTarget.value))}>
            {HOURS.map((count) => (
              <option key={count} value={count} selected={count === hours}>
                {count === 168 ? "7 days" : `${count} hours`}
              </option>
            ))}
          </select>
        </label>
        <Notice {...said} />
        {data && <Chart rows={data.rows} />}
      </Card>
      <Trail
        hear={(entries) => {
          if (entries.some(({ kind }) => SHOWS_UP.includes(kind))) setChanges((count) => count + 1);
        }}
      />
    </>
  );
}
