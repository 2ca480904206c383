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
  // Tokens of one application mostly have one length, and a view of the buffer costs as much as writing it.
  let view: Buffer = inner.subarray(0, block);

  function roomFor(length: number): Buffer {
    const next = Buffer.alloc(block + length);
    inner.copy(next, 0, 0, block);
    return next;
  }

  return (message) => {
    const length = block + message.length;
    let buffer = inner;
    if (length > buffer.length) {
      buffer = roomFor(message.length > MOST_ROOM ? message.length : MOST_ROOM);
      if (message.length <= MOST_ROOM) inner = buffer;
      view = buffer.subarray(0, length);
    } else if (view.length !== length || view.buffer !== buffer.buffer) {
      view = buffer.subarray(0, length);
    }
    writeLatin1(buffer, message, block);
    // Text of one character a byte comes out of the hash and into the buffer faster than a new Buffer does.
    writeLatin1(outer, digest(hash, view, "latin1"), block);
    if (buffer !== inner) view = inner.subarray(0, block);
    return digest(hash, outer, "base64url");
  };
}
