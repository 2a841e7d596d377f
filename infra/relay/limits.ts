/** Frames that wait for one device; the oldest make room. */
export const MOST_MAIL = 200;
