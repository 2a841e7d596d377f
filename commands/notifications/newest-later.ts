type Held<T> = { newest: T };

type Deps<T> = Readonly<{
  wait: (milliseconds: number) => Promise<void>;
  /** Gets the newest of each key when its time has come; must not reject. */
  release: (newest: T) => void;
}>;

/** Holds things back and lets only the newest of each key go. */
export const newestLater = <T>({ wait, release }: Deps<T>): ((key: string, newest: T, inMs: number) => void) => {
  const held = new Map<string, Held<T>>();
  return (key, newest, inMs) => {
    const known = held.get(key);
    if (known !== undefined) {
      known.newest = newest;
      return;
    }
    const own: Held<T> = { newest };
    held.set(key, own);
    const go = (): void => {
      held.delete(key);
      release(own.newest);
    };
    // Given up, when the server stops: what is held back was never promised.
    wait(inMs).then(go, () => held.delete(key));
  };
};
