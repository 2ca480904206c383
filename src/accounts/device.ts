import { randomId } from "../crypto/random.ts";
import { cookieValues, serializeCookie } from "../http/cookies.ts";
import type { JwtReply, JwtRequest } from "../http/types.ts";
import { equalText } from "../internal/constant-time.ts";
import type { AnyManager } from "../routes/shared.ts";
import type { Keyed } from "./secrets.ts";

const YEAR = 365 * 86_400;
const FORM = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})$/;

/** Remembers the devices on which somebody logged in, so that strangers who guess cannot lock them out. */
export interface Devices {
  /** The id of a device on which this user has logged in before. */
  known(request: JwtRequest, userId: string): Promise<string | undefined>;
  /** The cookie that says so from now on; an id that is known is kept. */
  remember(known: string | undefined, userId: string): Promise<JwtReply["headers"]>;
}

export function createDevices({ config }: AnyManager, keyed: Keyed): Devices {
  const { secure } = config.cookies;
  const name = secure ? "__Host-device" : "device";
  const seal = (id: string, userId: string): Promise<string> => keyed(`jwt-extended/device\0${userId}\0${id}`);
  return {
    async known(request, userId) {
      for (const value of cookieValues(request.header("cookie"), name).slice(0, 4)) {
        const [, id, mac] = FORM.exec(value) ?? [];
        if (id !== undefined && mac !== undefined && equalText(mac, await seal(id, userId))) return id;
      }
      return undefined;
    },
    async remember(known, userId) {
      const id = known ?? randomId();
      const value = `${id}.${await seal(id, userId)}`;
      const attributes = { path: "/", maxAge: YEAR, httpOnly: true, secure, sameSite: "Lax" };
      return [["set-cookie", serializeCookie(name, value, attributes)]];
    },
  };
}
