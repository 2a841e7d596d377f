import type pg from 'pg';
import { PROGRESS } from './projection-place.ts';
import { CONTROL, LOCK_CLASS } from './projection-state.ts';

/** One connection that holds this process's locks and hears its notifications. Its end is the end of all its locks. */
export type ControlConnection = Readonly<{
  /** Takes the ownership of a projection, if it is free. */
  tryLock: (name: string) => Promise<boolean>;
  unlock: (name: string) => Promise<void>;
  /** Aborts when the connection has gone, for whatever reason. */
  lost: AbortSignal;
  close: () => Promise<void>;
}>;

/** What is heard: how far projections have come, and the names of those that somebody asks something of. */
export type Heard = Readonly<{ progress: (payload: string) => void; control: (name: string) => void }>;

/** Connects `client` and listens. */
export const openControl = async (client: pg.Client, heard: Heard): Promise<ControlConnection> => {
  const lost = new AbortController();
  client.on('error', () => lost.abort());
  client.on('end', () => lost.abort());
  client.on('notification', ({ channel, payload = '' }) => {
    if (channel === PROGRESS) heard.progress(payload);
    if (channel === CONTROL) heard.control(payload);
  });
  try {
    await client.connect();
    await client.query(`listen ${PROGRESS}; listen ${CONTROL}`);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  // One question at a time: the driver does not queue them here.
  let turn: Promise<unknown> = Promise.resolve();
  const ask = <T>(question: () => Promise<T>): Promise<T> => {
    const asked = turn.then(question);
    turn = asked.catch(() => undefined);
    return asked;
  };
  return {
    tryLock: (name) =>
      ask(async () => {
        const { rows } = await client.query<{ taken: boolean }>(
          'select pg_try_advisory_lock($1, hashtext($2)) as taken',
          [LOCK_CLASS, name],
        );
        return rows[0]?.taken === true;
      }),
    unlock: (name) =>
      ask(async () => {
        await client.query('select pg_advisory_unlock($1, hashtext($2))', [LOCK_CLASS, name]);
      }),
    lost: lost.signal,
    close: async () => {
      await client.end().catch(() => undefined);
    },
  };
};
