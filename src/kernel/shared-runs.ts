/**
 * Runs work once for all who ask for it at the same time, one run a key after the other. What is under way may have looked
 * before somebody asked, so those who ask meanwhile share the next run. A run that fails fails for those who share it.
 */
export const sharedRuns = <T>(work: (key: string) => Promise<T>): ((key: string) => Promise<T>) => {
  const running = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();

  const start = (key: string): Promise<T> => {
    const run = work(key).finally(() => {
      if (running.get(key) === run) running.delete(key);
    });
    running.set(key, run);
    return run;
  };

  return (key) => {
    const current = running.get(key);
    if (current === undefined) return start(key);
    const waiting = next.get(key);
    if (waiting !== undefined) return waiting;
    const startNext = (): Promise<T> => {
      next.delete(key);
      return start(key);
    };
    const run = current.then(startNext, startNext);
    next.set(key, run);
    return run;
  };
};
