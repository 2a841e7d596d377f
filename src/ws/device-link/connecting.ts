import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { DeviceRole } from '../../kernel/relay.ts';
import type { Caller } from '../../http/endpoint.ts';
import type { Opening, Socket } from '../upgrade.ts';
import { causes } from './causes.ts';
import { RESTARTING, REVOKED, TRY_AGAIN } from './close-codes.ts';
import type { Connection } from './connections.ts';
import { outbox, type OutboxReports } from './outbox.ts';
import type { LinkTiming } from './timing.ts';

type Deps = Readonly<{
  hashAddress: (ip: string) => string;
  timing: Pick<LinkTiming, 'lingerMs' | 'revokedMs'>;
  clock: Clock;
  logger: Logger;
}>;

/** Makes a connection of a socket; it is over when either side closes it, which `onOver` is told once. */
export type Connecting = (
  socket: Socket,
  caller: Caller,
  opening: Opening,
  onOver: (connection: Connection) => void,
) => Connection;

const roleOf = (header: string | undefined): DeviceRole =>
  header === 'desktop' || header === 'mobile' ? header : 'other';

export const connecting = ({ hashAddress, timing, clock, logger }: Deps): Connecting => {
  const now = (): number => clock().getTime();

  /** Ends a socket whose peer does not answer the close frame. */
  const cutLater = (socket: Socket, code: number): void => {
    const cut = setTimeout(() => socket.terminate(), code === REVOKED ? timing.revokedMs : timing.lingerMs);
    cut.unref();
    socket.once('close', () => clearTimeout(cut));
  };

  return (socket, caller, opening, onOver) => {
    const about = { userId: caller.userId, requestId: opening.requestId };
    let isOpen = true;
    const over = (): void => {
      if (!isOpen) return;
      isOpen = false;
      connection.outbox.shut();
      onOver(connection);
    };
    const close: Connection['close'] = (code, reason, lastWord) => {
      if (!isOpen) return;
      if (lastWord !== undefined) connection.outbox.sendLast(lastWord);
      socket.close(code, reason);
      cutLater(socket, code);
      over();
    };
    const reports: OutboxReports = {
      overflow: () => {
        logger.warn(about, 'a device does not read; it is to come back');
        close(TRY_AGAIN, 'too much waits to be read; come back and resume');
      },
      dropped: (frames) => logger.warn({ ...about, frames }, 'a device reads slowly: some pieces were left out'),
    };
    const connection: Connection = {
      caller,
      outbox: outbox(socket, now, reports),
      saidRole: roleOf(opening.header('x-client-type')),
      entry: undefined,
      cause: causes(caller, opening, hashAddress, clock),
      isOpen: () => isOpen,
      close,
    };
    socket.once('close', (code: number) => {
      // Its answer to a close frame of ours comes after all that we had sent.
      if (code === RESTARTING) connection.outbox.settleAll();
      over();
    });
    return connection;
  };
};
