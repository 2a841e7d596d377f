type Timer = { at: number; readonly ms: number; readonly act: () => void; readonly again: boolean };

/** Timers that go off when the test says that time has passed; what is refreshed begins anew. */
export const fakeTimers = () => {
  const real = { setTimeout, clearTimeout, setInterval, clearInterval };
  const waiting = new Set<Timer>();
  let now = 0;

  const begin = (timer: Timer) => {
    const handle = {
      timer,
      refresh: () => {
        timer.at = now + timer.ms;
        waiting.add(timer);
        return handle;
      },
      unref: () => handle,
    };
    return handle.refresh();
  };
  const starting =
    (again: boolean) =>
    (act: () => void, ms = 0) =>
      begin({ act, ms, again, at: 0 });
  const clear = (handle: ReturnType<typeof begin> | undefined): void => {
    if (handle !== undefined) waiting.delete(handle.timer);
  };
  Object.assign(globalThis, {
    setTimeout: starting(false),
    setInterval: starting(true),
    clearTimeout: clear,
    clearInterval: clear,
  });

  const next = (until: number): Timer | undefined =>
    [...waiting].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];

  return {
    /** Lets milliseconds pass. */
    pass: (milliseconds: number): void => {
      const until = now + milliseconds;
      for (let timer = next(until); timer !== undefined; timer = next(until)) {
        now = timer.at;
        waiting.delete(timer);
        if (timer.again) begin(timer);
        timer.act();
      }
      now = until;
    },
    restore: (): void => void Object.assign(globalThis, real),
  };
};
