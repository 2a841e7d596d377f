import type { Logger } from '../../src/kernel/logger.ts';

export type LogLine = Readonly<{ level: keyof Logger; message: string; fields: Readonly<Record<string, unknown>> }>;

/** A logger that remembers its lines. */
export const memoryLogger = (): Readonly<{ logger: Logger; lines: LogLine[] }> => {
  const lines: LogLine[] = [];
  const at = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...fields } });
  };
  return { logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
};
