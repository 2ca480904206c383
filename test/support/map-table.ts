/** The contract of the compact table, on a `Map`: what it should answer, without any of its cleverness. */
export class MapTable {
  readonly #entries = new Map<string, { until: number; value: number }>();

  set(key: Uint32Array, until: number, value = 0): void {
    const old = this.#entries.get(key.join());
    const seconds = until / 1000;
    const end = Number.isFinite(until) && Math.ceil(seconds) <= 4_294_967_294 ? until : Number.POSITIVE_INFINITY;
    this.#entries.set(key.join(), { until: Math.max(end, old?.until ?? end), value: Math.max(value, old?.value ?? 0) });
  }

  has(key: Uint32Array): boolean {
    return this.#entries.has(key.join());
  }

  get(key: Uint32Array): number {
    return this.#entries.get(key.join())?.value ?? 0;
  }

  /** Takes out all that may go, to the second. */
  sweep(now: number): void {
    for (const [key, { until }] of this.#entries) {
      if (Math.max(1, Math.ceil(until / 1000)) <= Math.floor(now / 1000)) this.#entries.delete(key);
    }
  }

  get entries(): number {
    return this.#entries.size;
  }
}
