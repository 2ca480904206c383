/** One step of a transcript: time that passes, or a request and the answer it must get. */
export type Step = { readonly later: number } | Exchange;

/** A request as `curl` would send it, and what is written under it. */
export interface Exchange {
  /** The command as it stands in the comment. */
  readonly command: string;
  readonly status: number;
  /** Header lines such as `Cache-Control: no-store`. */
  readonly headers: readonly string[];
  /** Empty where the body does not matter. */
  readonly body: string;
}

/** A request, taken from a `curl` command. */
export interface Curl {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
  /** Whether cookies are kept (`-c jar`) and sent (`-b jar`). */
  readonly keeps: boolean;
  readonly sends: boolean;
}

/** The comment at the top of an example without its slashes. */
export function topComment(source: string): string[] {
  const lines = source.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines.slice(0, end < 0 ? lines.length : end).map((line) => line.replace(/^\/\/ ?/, ""));
}

const UNITS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

/** The steps of a comment. Lines before the first `$` are prose, and so is a line that begins with `#`. */
export function stepsOf(comment: readonly string[]): Step[] {
  const steps: Step[] = [];
  const lines = comment.join("\n").replaceAll("\\\n", " ").split("\n");
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    const later = /^(\d+) (second|minute|hour|day)s? later:$/.exec(line);
    if (later) steps.push({ later: Number(later[1]) * (UNITS[later[2] as string] as number) });
    if (!line.startsWith("$ ")) continue;
    const answer = /^(\d{3})(?: (.*))?$/.exec(lines[++at] ?? "");
    if (!answer) throw new Error(`no answer under: ${line}`);
    const headers: string[] = [];
    while (/^[A-Z][\w-]+: /.test(lines[at + 1] ?? "")) headers.push(lines[++at] as string);
    steps.push({ command: line.slice(2), status: Number(answer[1]), headers, body: answer[2] ?? "" });
  }
  return steps;
}

/** Splits a command as a shell does, and fills in its `$VARIABLES`. */
export function wordsOf(command: string, variables: ReadonlyMap<string, string>): string[] {
  const fill = (text: string): string =>
    text.replace(/\$([A-Z][A-Z0-9_]*)/g, (_, name: string) => {
      const value = variables.get(name);
      if (value === undefined) throw new Error(`$${name} is used before an answer gave it: ${command}`);
      return value;
    });
  const words = command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g);
  return [...words].map(([word]) =>
    word.replace(/'([^']*)'|"([^"]*)"|([^'"]+)/g, (_, single?: string, double?: string, bare?: string) =>
      single === undefined ? fill(double ?? bare ?? "") : single,
    ),
  );
}

/** Reads the few options of `curl` that examples use. */
export function curlOf(command: string, variables: ReadonlyMap<string, string>): Curl {
  const [program, ...words] = wordsOf(command, variables);
  if (program !== "curl") throw new Error(`not a curl command: ${command}`);
  const headers: [string, string][] = [];
  let method: string | undefined;
  let url: string | undefined;
  let body: string | undefined;
  let keeps = false;
  let sends = false;
  while (words.length > 0) {
    const word = words.shift() as string;
    if (!word.startsWith("-")) {
      url = word;
      continue;
    }
    const value = words.shift() ?? "";
    if (word === "-X") method = value;
    else if (word === "-H") headers.push(value.split(/: ?(.*)/, 2) as [string, string]);
    else if (word === "-A") headers.push(["User-Agent", value]);
    else if (word === "-c") keeps = true;
    else if (word === "-b" && value.includes("=")) headers.push(["Cookie", value]);
    else if (word === "-b") sends = true;
    else if (word === "-d" || word === "--json") {
      const type = word === "-d" ? "application/x-www-form-urlencoded" : "application/json";
      headers.push(["Content-Type", type]);
      body = value;
    } else throw new Error(`unknown option ${word} in: ${command}`);
  }
  const path = /^127\.0\.0\.1:5000(\/.*)$/.exec(url ?? "")?.[1];
  if (path === undefined) throw new Error(`not a request to 127.0.0.1:5000: ${command}`);
  return { method: method ?? (body === undefined ? "GET" : "POST"), path, headers, body, keeps, sends };
}

const literally = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/**
 * Holds a text against what is expected: `…` stands for anything, `$NAME` for a value that this line gives a name, or
 * that must be the same as the one so called before. Gives the new names, or nothing if it does not fit.
 */
export function fits(
  expected: string,
  text: string,
  variables: ReadonlyMap<string, string>,
): Map<string, string> | undefined {
  const names: string[] = [];
  const pattern = expected.split(/(\$[A-Z][A-Z0-9_]*|…)/).map((part) => {
    if (part === "…") return ".*?";
    if (!/^\$[A-Z]/.test(part)) return literally(part);
    const known = variables.get(part.slice(1));
    if (known !== undefined) return literally(known);
    names.push(part.slice(1));
    return '([^"\\s,;{}<>]+)';
  });
  const found = new RegExp(`^${pattern.join("")}$`, "s").exec(text);
  return found ? new Map(names.map((name, index) => [name, found[index + 1] as string])) : undefined;
}
