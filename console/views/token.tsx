import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ask } from "../login/ask.ts";
import { useLogin } from "../login/login.ts";
import { Card, Notice } from "../parts/parts.tsx";
import { Moment, span, useNow } from "../parts/time.tsx";
import { Calls } from "./calls.tsx";

/** What `/token` tells of the access token. `now` and the times of the claims are Unix seconds. */
interface Decoded {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly now: number;
}

export function TokenView() {
  const { version } = useLogin();
  const [token, setToken] = useState<Decoded & { readonly at: number }>();
  const [refusal, setRefusal] = useState("");
  // biome-ignore lint/correctness/useExhaustiveDependencies: there is another token
  useEffect(() => {
    let isOld = false;
    void ask<Decoded>("/token").then(({ ok, body, status }) => {
      if (isOld) return;
      setRefusal(ok ? "" : `The token cannot be read now (${status}).`);
      if (ok) setToken({ ...body, at: Date.now() });
    });
    return () => {
      isOld = true;
    };
  }, [version]);
  return (
    <div class="columns">
      <Card title="The access token">
        <Notice text={refusal} isBad />
        {token && (
          <>
            <Clocks {...token} />
            <Claims {...token} />
          </>
        )}
      </Card>
      <Calls />
    </div>
  );
}

/** The clock of the device may be wrong: it only tells how long ago the server said what time it is. */
function Clocks({ claims, now, at }: Decoded & { readonly at: number }) {
  const time = now + (useNow() - at) / 1000;
  const [iat, exp] = [Number(claims.iat), Number(claims.exp)];
  const freshUntil = claims.fresh === true ? exp : typeof claims.fresh === "number" ? claims.fresh : 0;
  return (
    <div class="clocks">
      <Clock label="Issued" value={`${span(time - iat)} ago`} />
      <Clock label="Expires in" value={exp > time ? span(exp - time) : "over"}>
        <progress aria-label="Life of the token that is left" max={exp - iat} value={Math.max(0, exp - time)} />
        {exp <= time && <p class="hint">The next call renews it.</p>}
      </Clock>
      <Clock label="Fresh for" value={freshUntil > time ? span(freshUntil - time) : "not fresh"} />
    </div>
  );
}

interface ClockProps {
  readonly label: string;
  readonly value: string;
  readonly children?: ComponentChildren;
}

function Clock({ label, value, children }: ClockProps) {
  return (
    <div class="clock">
      <p class="label">{label}</p>
      <p class="value">{value}</p>
      {children}
    </div>
  );
}

const MEANINGS: Readonly<Record<string, string>> = {
  sub: "whom it is about: an id that never changes",
  type: "access or refresh",
  iat: "issued",
  exp: "expires",
  nbf: "not before",
  auth_time: "when the password was given",
  jti: "the name of this token",
  sid: "the session it belongs to",
  gen: "how often the session was renewed",
  csrf: "the value that the page sends back",
  fresh: "straight from a login",
  iss: "who issued it",
  aud: "for whom it is",
  roles: "what the user is",
};
const TIMES = ["iat", "exp", "nbf", "auth_time"];

function Claims({ header, claims }: Decoded) {
  return (
    <>
      <dl class="claims">
        {Object.entries(claims).map(([name, value]) => (
          <div key={name}>
            <dt>
              <code>{name}</code> <span class="hint">{MEANINGS[name]}</span>
            </dt>
            <dd>
              <code>{JSON.stringify(value)}</code>
              {(TIMES.includes(name) || name === "fresh") && typeof value === "number" && (
                <span class="hint">
                  {" "}
                  <Moment at={value * 1000} />
                </span>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <p class="hint">
        Header: <code>{JSON.stringify(header)}</code>
      </p>
    </>
  );
}
