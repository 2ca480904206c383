// Imports what it is told to, builds a manager where that is ours, and writes what it took.
const SECRET = "a-secret-for-measurements-of-32-bytes";

type Entry = Readonly<Record<string, (manager: object) => unknown>>;
interface Core {
  readonly JWTManager: new (options: object) => object;
}

// By the names that an application uses, so that what ships is measured. The compiler need not find it.
const load = <T>(name: string): Promise<T> => import(name) as Promise<T>;

const [name = "", face] = process.argv.slice(2);
const before = process.memoryUsage().rss;
const from = process.hrtime.bigint();
const loaded = await load<Entry>(name);
let built: unknown;
if (name.startsWith("jwt-extended")) {
  const { JWTManager } = await load<Core>("jwt-extended");
  const manager = new JWTManager({ secretKey: SECRET, warn: () => {} });
  built = face === undefined ? manager : loaded[face]?.(manager);
}
const nanoseconds = Number(process.hrtime.bigint() - from);
const bytes = process.memoryUsage().rss - before;
if (face !== undefined && built === undefined) throw new Error(`${name} has no ${face}`);
process.stdout.write(JSON.stringify({ nanoseconds, bytes }));
