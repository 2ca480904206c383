import crypto from "node:crypto";
import { writeLatin1 } from "../internal/bytes.ts";
import { equalText } from "../internal/constant-time.ts";

/** HMAC (RFC 2104) for one key. The MAC is unpadded base64url text, what it is made of ASCII. */
export interface Hmac {
  sign(message: string): string;
  /** Whether the text after the dot at `end` is the MAC of what stands before it. The time it takes depends on lengths only. */
  verify(token: string, end: number): boolean;
}

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Bytes for a message at first. */
const FIRST_ROOM = 1024;

type OneShotHash = (algorithm: string, data: Uint8Array, encoding: "hex" | "latin1" | "base64url") => string;
const oneShotHash = (crypto as { hash?: OneShotHash }).hash;

/** Where a MAC is compared: a longer one than that of SHA-512 does not exist. */
const mark = Buffer.allocUnsafeSlow(86);

/**
 * Prepares HMAC for one key. `hash` is `sha256`, `sha384` or `sha512`.
 * With `oneShot`, two one-shot hashes over prepared pads stand in for the `createHmac` of Node, which is about half as fast;
 * by default that is so wherever the runtime has `crypto.hash`.
 */
export function createHmac(hash: string, key: Uint8Array, oneShot = oneShotHash !== undefined): Hmac {
  return oneShot && oneShotHash !== undefined ? padded(oneShotHash, hash, key) : classic(hash, key);
}

function classic(hash: string, key: Uint8Array): Hmac {
  const secret = crypto.createSecretKey(key);
  const sign = (text: string): string => crypto.createHmac(hash, secret).update(text, "latin1").digest("base64url");
  return { sign, verify: (token, end) => equalText(sign(token.slice(0, end)), token.slice(end + 1)) };
}

function padded(digest: OneShotHash, hash: string, key: Uint8Array): Hmac {
  const block = hash === "sha256" ? 64 : 128;
  const short = key.length > block ? Buffer.from(digest(hash, key, "hex"), "hex") : key;
  const digestBytes = Buffer.from(digest(hash, new Uint8Array(0), "hex"), "hex").length;

  // inner = ipad ‖ message, outer = opad ‖ H(inner). The pads are written once.
  let inner: Buffer = Buffer.alloc(block + FIRST_ROOM, INNER_PAD);
  const outer = Buffer.alloc(block + digestBytes, OUTER_PAD);
  for (let i = 0; i < short.length; i++) {
    const byte = short[i] as number;
    outer[i] = byte ^ OUTER_PAD;
    inner[i] = byte ^ INNER_PAD;
  }
  // Tokens of one application mostly have one length, and a view of the buffer costs as much as writing it.
  let view = inner;
  let viewed = -1;

  function mac(text: string, length: number): string {
    if (block + text.length > inner.length) {
      const larger = Buffer.alloc(block + 2 * text.length);
      inner.copy(larger, 0, 0, block);
      inner = larger;
      viewed = -1;
    }
    if (viewed !== length) {
      view = inner.subarray(0, block + length);
      viewed = length;
    }
    writeLatin1(inner, text, block);
    // Text of one character a byte comes out of the hash and into the buffer faster than a new Buffer does.
    writeLatin1(outer, digest(hash, view, "latin1"), block);
    return digest(hash, outer, "base64url");
  }

  return {
    sign: (message) => mac(message, message.length),
    verify(token, end) {
      const mine = mac(token, end);
      const { length } = mine;
      if (token.length - end - 1 !== length) return false;
      writeLatin1(mark, mine, 0);
      const from = block + end + 1;
      let difference = 0;
      for (let i = 0; i < length; i++) difference |= (mark[i] as number) ^ (inner[from + i] as number);
      return difference === 0;
    },
  };
}
