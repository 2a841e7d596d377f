import type { Clock } from '../../kernel/clock.ts';
import { readClientMessage, type ReadFrame } from './client-message.ts';
import { isRegistered, type Connection } from './connections.ts';
import { errorFrame } from './frames.ts';
import type { Frame } from './reading.ts';
import type { Switchboard } from './switchboard.ts';

type Deps = Readonly<{
  board: Pick<Switchboard, 'terminals' | 'handle' | 'revoked'>;
  clock: Clock;
  /** Told of a message that could not be handled. */
  failed: (connection: Connection, isRegistering: boolean, error: unknown) => void;
}>;

/** Takes a frame of a connection; undefined when it is done with. Neither throws nor rejects. */
export type Receiving = (connection: Connection, frame: Frame) => Promise<void> | undefined;

export const receiving = ({ board, clock, failed }: Deps): Receiving => {
  const refuse = (connection: Connection, fault: Extract<ReadFrame, string>): undefined => {
    const code = fault === 'no-json' ? 'invalidJson' : 'unknownMessageType';
    connection.outbox.send(errorFrame(code, 'a message is a JSON object with a type', clock()), 'vital');
  };

  const output = (connection: Connection, data: Buffer): Promise<void> | undefined =>
    isRegistered(connection) ? board.terminals.output(connection, data) : undefined;

  return (connection, { data, isBinary }) => {
    if (board.revoked.has(connection)) return undefined;
    let isRegistering = false;
    try {
      if (isBinary) return output(connection, data)?.catch((error: unknown) => failed(connection, false, error));
      const message = readClientMessage(data.toString('utf8'), data.length);
      if (typeof message === 'string') return refuse(connection, message);
      isRegistering = message.type === 'register';
      return board.handle(connection, message)?.catch((error: unknown) => failed(connection, isRegistering, error));
    } catch (error) {
      failed(connection, isRegistering, error);
      return undefined;
    }
  };
};
