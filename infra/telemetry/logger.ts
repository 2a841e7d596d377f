import { pino } from 'pino';
import type { Logger } from '../../src/kernel/logger.ts';

/** JSON lines on stdout. The functions may be passed around on their own, which pino's methods may not. */
export const jsonLogger = (level: string): Logger => {
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  };
};
