/** Those who read one answer in this process. */
export type Presence = Readonly<{
  /** One more reader, until it leaves by the answered function (which may be called twice) or has gone. */
  enter: (gone: AbortSignal) => () => void;
  /** Counts as somebody who has just left: for readers elsewhere. */
  touch: () => void;
  isEmpty: () => boolean;
  /** Nobody is waited for any more. */
  close: () => void;
}>;

/** Calls `onEmpty` once, when nobody has been there for `lingerMs`. */
export const presence = (lingerMs: number, onEmpty: () => void): Presence => {
  let readers = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const wait = (): void => {
    clearTimeout(timer);
    if (closed || readers > 0) return;
    timer = setTimeout(() => {
      closed = true;
      onEmpty();
    }, lingerMs);
    timer.unref();
  };

  const enter = (gone: AbortSignal): (() => void) => {
    let here = true;
    readers += 1;
    clearTimeout(timer);
    const leave = (): void => {
      if (!here) return;
      here = false;
      gone.removeEventListener('abort', leave);
      readers -= 1;
      wait();
    };
    gone.addEventListener('abort', leave, { once: true });
    if (gone.aborted) leave();
    return leave;
  };

  return {
    enter,
    touch: wait,
    isEmpty: () => readers === 0,
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
};
