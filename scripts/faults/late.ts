import { localActor } from "./actor.ts";
import type { Lab } from "./labs.ts";
import type { Place } from "./places.ts";
import { startProxy } from "./proxy.ts";
import { type Effort, type Finding, pause, rounds, Tally } from "./report.ts";
import type { Login } from "./tokens.ts";

const ROUNDS = 5;
/** Milliseconds: longer than `storeTimeout`. */
const LATE = 1_500;

/** A refresh that timed out reaches the store late, when the client has long gone on elsewhere: he stays logged in. */
export async function late({ place, server }: Lab, effort: Effort): Promise<readonly Finding[]> {
  if (!server || place.kind === "memory" || place.kind === "sqlite") return [];
  const proxy = await startProxy(server.port);
  const through: Place = { ...place, port: proxy.port };
  const [slow, quick] = [localActor(through), localActor(place)];
  const seen = new Tally();
  const count = rounds(ROUNDS, effort);
  for (let round = 0; round < count; round++) {
    const login = (await slow.login(`late-${round}`)).login as Login;
    await slow.refresh(((await slow.login("warm")).login as Login).refresh);
    proxy.delay(LATE);
    const first = slow.refresh(login.refresh);
    await pause(50);
    const once = (await quick.refresh(login.refresh))[0]?.login as Login;
    const twice = (await quick.refresh(once.refresh))[0]?.login as Login;
    seen.add(`first answer ${(await first)[0]?.code}`);
    await pause(2 * LATE);
    proxy.delay(0);
    await pause(LATE);
    const [{ code } = { code: "" }] = await quick.refresh(twice.refresh);
    seen.add(code === "ok" ? "went on" : `LOGGED OUT ${code}`);
  }
  await Promise.all([slow.close(), quick.close()]);
  proxy.close();
  const good = seen.of("went on") === count;
  return [{ experiment: "late, refresh past its timeout", store: place.kind, text: `${count} rounds: ${seen}`, good }];
}
