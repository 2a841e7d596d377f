/** Runs at most so many tasks of one key at the same time; the others wait for their turn, in the order in which they came. */
export const turnsByKey = (most: number): (<T>(key: string, task: () => Promise<T>) => Promise<T>) => {
  const running = new Map<string, number>();
  const waiting = new Map<string, (() => void)[]>();

  /** Hands the place on to whoever has waited longest. */
  const leave = (key: string): void => {
    const queue = waiting.get(key);
    const next = queue?.shift();
    if (queue?.length === 0) waiting.delete(key);
    if (next !== undefined) {
      next();
      return;
    }
    const left = (running.get(key) ?? 1) - 1;
    if (left === 0) running.delete(key);
    else running.set(key, left);
  };

  const enter = (key: string): Promise<undefined> | undefined => {
    const taken = running.get(key) ?? 0;
    if (taken < most) {
      running.set(key, taken + 1);
      return undefined;
    }
    const turn = Promise.withResolvers<undefined>();
    const goOn = (): void => turn.resolve(undefined);
    const queue = waiting.get(key);
    if (queue === undefined) waiting.set(key, [goOn]);
    else queue.push(goOn);
    return turn.promise;
  };

  return async (key, task) => {
    const turn = enter(key);
    if (turn !== undefined) await turn;
    try {
      return await task();
    } finally {
      leave(key);
    }
  };
};
