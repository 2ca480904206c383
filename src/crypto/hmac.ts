import crypto from "node:crypto";
import { writeLatin1 } from "../internal/bytes.ts";

/** Computes the MAC of an ASCII message as unpadded base64url text. */
export type Mac = (message: string) => string;

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
const FIRST_ROOM = 1024;
/** Longer messages get a buffer for themselves, which is not kept. */
const MOST_ROOM = 16 * 1024;

type OneShotHash = (algorithm: string, data: Uint8Array, encoding: "hex" | "latin1" | "base64url") => string;
const oneShotHash = (crypto as { hash?: OneShotHash }).hash;

/**
 * Prepares HMAC (RFC 2104) for one key. `hash` is `sha256`, `sha384` or `sha512`.
 * With `oneShot`, two one-shot hashes over prepared pads stand in for `createHmac`, which is about half as fast;
 * by default that is so wherever the runtime has `crypto.hash`.
 */
export function createMac(hash: string, key: Uint8Array, oneShot = oneShotHash !== undefined): Mac {
  return oneShot && oneShotHash !== undefined ? padded(oneShotHash, hash, key) : classic(hash, key);
}

function classic(hash: string, key: Uint8Array): Mac {
  const secret = crypto.createSecretKey(key);
  return (message) => crypto.createHmac(hash, secret).update(message, "latin1").digest("base64url");
}

function padded(digest: OneShotHash, hash: string, key: Uint8Array): Mac {
  const block = hash === "sha256" ? 64 : 128;
  const short = key.length > block ? Buffer.from(digest(hash, key, "hex"), "hex") : key;
  const digestBytes = Buffer.from(digest(hash, new Uint8Array(0), "hex"), "hex").length;

  // inner = ipad ‖ message, outer = opad ‖ H(inner). The pads are written once.
  const outer = Buffer.alloc(block + digestBytes, OUTER_PAD);
  let inner: Buffer = Buffer.alloc(block + FIRST_ROOM, INNER_PAD);
  for (let i = 0; i < short.length; i++) {
    const byte = short[i] as number;
    outer[i] = byte ^ OUTER_PAD;
    inner[i] = byte ^ INNER_PAD;
  }
  let room = FIRST_ROOM;
  // Tokens of one application mostly have one length, and a view of the buffer costs as much as writing it.
  let view = inner;
  let viewed = -1;

  function withRoomFor(length: number): Buffer {
    const larger = Buffer.alloc(block + length);
    inner.copy(larger, 0, 0, block);
    return larger;
  }

  function finish(message: string, buffer: Buffer, whole: Buffer): string {
    writeLatin1(buffer, message, block);
    // Text of one character a byte comes out of the hash and into the buffer faster than a new Buffer does.
    writeLatin1(outer, digest(hash, whole, "latin1"), block);
    return digest(hash, outer, "base64url");
  }

  return (message) => {
    const { length } = message;
    if (length > room) {
      const buffer = withRoomFor(Math.max(length, MOST_ROOM));
      if (length > MOST_ROOM) return finish(message, buffer, buffer.subarray(0, block + length));
      inner = buffer;
      room = MOST_ROOM;
      viewed = -1;
    }
    if (viewed !== length) {
      view = inner.subarray(0, block + length);
      viewed = length;
    }
    return finish(message, inner, view);
  };
}
