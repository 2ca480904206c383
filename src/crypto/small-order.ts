/**
 * The y coordinates of the points of small order on edwards25519, little-endian without the sign bit, and the two
 * non-canonical spellings that fit into 255 bits. Under such a key one signature fits many messages (RFC 8032 §8.9 asks for none of it).
 */
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

/** Whether a raw Ed25519 public key of 32 bytes is a point of small order. */
export function isSmallOrderPoint(publicKey: Uint8Array): boolean {
  const y = Buffer.from(publicKey);
  y[31] = (y[31] as number) & 0x7f;
  return SMALL_ORDER.has(y.toString("hex"));
}
