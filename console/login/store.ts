import { useEffect, useState } from "preact/hooks";

/** A value that components follow. */
export interface Store<T> {
  get(): T;
  set(changes: Partial<T>): void;
  follow(tell: (value: T) => void): () => void;
}

export function createStore<T extends object>(first: T): Store<T> {
  let value = first;
  const followers = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(changes) {
      value = { ...value, ...changes };
      for (const tell of followers) tell(value);
    },
    follow(tell) {
      followers.add(tell);
      return () => followers.delete(tell);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(store.get());
  useEffect(() => {
    // It may have changed since it was drawn.
    setValue(store.get());
    return store.follow(setValue);
  }, [store]);
  return value;
}
