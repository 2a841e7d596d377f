/** Bytes of kept events of one user; the oldest make room, and whoever missed them is told of a gap. */
export const MOST_KEPT_BYTES = 8 * 1024 * 1024;
/**
 * Frames that wait for the absent devices of one user, and their bytes: of more, the oldest are shortened to the word that
 * they are gone. The latest is kept whatever its size: frames have a limit of their own.
 */
export const MAIL_LIMITS = { pieces: 2_000, bytes: 16 * 1024 * 1024 };
/** Terminals of one user that are watched, times the devices that watch them; the oldest make room. */
export const MOST_ROUTES = 256;
/**
 * Nobody was ever given an id above this. A client that names one is told of a gap and otherwise not believed: the ids
 * that follow have to be exact numbers.
 */
export const HIGHEST_EVENT_ID = 2 ** 52;
