/** The cookies of one browser for one service, with their lives, and a `fetch` that sends what a page of it would. */
export class Jar {
  readonly #cookies = new Map<string, { readonly value: string; readonly readable: boolean; readonly until: number }>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  #live(): [name: string, value: string, readable: boolean][] {
    return [...this.#cookies].flatMap(([name, { value, readable, until }]) =>
      until > this.#clock() ? [[name, value, readable] as [string, string, boolean]] : [],
    );
  }

  /** What `document.cookie` shows. */
  get readable(): string {
    return this.#live()
      .filter(([, , readable]) => readable)
      .map(([name, value]) => `${name}=${value}`)
      .join("; ");
  }

  /** The text of a token cookie, which no page can read. */
  value(name: string): string | undefined {
    return this.#live().find(([found]) => found === name)?.[1];
  }

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const cookies = this.#live().map(([name, value]) => `${name}=${value}`);
    const headers = new Headers(request.headers);
    headers.set("Sec-Fetch-Site", "same-origin");
    if (cookies.length > 0) headers.set("Cookie", cookies.join("; "));
    const answer = await fetch(new Request(request, { headers }));
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const age = Number(/; Max-Age=(\d+)/.exec(line)?.[1] ?? Number.NaN);
      const until = Number.isNaN(age) ? Number.POSITIVE_INFINITY : this.#clock() + age * 1000;
      this.#cookies.set(name, { value, readable: !/; HttpOnly/.test(line), until });
    }
    return answer;
  };
}
