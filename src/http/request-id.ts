import { randomUUID } from 'node:crypto';

/** Long enough for any tracing system, and nothing that could break a log line or a header. */
const SANE = /^[A-Za-z0-9][A-Za-z0-9._:-]{7,127}$/;

/** The id that a request goes by in answers, logs and event metadata: the caller's own when it is sane. */
export const requestIdOf = (offered: string | undefined): string =>
  offered !== undefined && SANE.test(offered) ? offered : randomUUID();
