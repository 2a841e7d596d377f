/**
 * Lets `burst` through at once and `perSecond` after that. `now` is in milliseconds; the function that it makes answers
 * false for what is too much.
 */
export const pace = (now: () => number, { burst, perSecond }: Readonly<{ burst: number; perSecond: number }>) => {
  let left = burst;
  let at = now();
  return (): boolean => {
    const seconds = Math.max(0, now() - at) / 1_000;
    at = now();
    left = Math.min(burst, left + seconds * perSecond);
    if (left < 1) return false;
    left -= 1;
    return true;
  };
};
