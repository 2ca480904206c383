/** The primes up to 167, without 2: the weak generator leaves a mark modulo each of them. */
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/** The remainders that powers of 65537 can leave modulo a prime. */
function powersOf65537(prime: number): ReadonlySet<number> {
  const found = new Set<number>();
  for (let power = 1; !found.has(power); power = (power * 65_537) % prime) found.add(power);
  return found;
}

/**
 * Whether an RSA modulus carries the mark of the broken generator of CVE-2017-15361 (ROCA): it is a power of 65537 modulo every
 * small prime. A sound key does so once in about a hundred million.
 */
export function isRocaModulus(modulus: Uint8Array): boolean {
  const n = BigInt(`0x${Buffer.from(modulus).toString("hex")}`);
  return PRIMES.every((prime) => powersOf65537(prime).has(Number(n % BigInt(prime))));
}
