import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { DeviceRole } from '../../kernel/relay.ts';
import type { Caller } from '../../http/endpoint.ts';
import type { Opening, Socket } from '../upgrade.ts';
import { causes } from './causes.ts';
import { RESTARTING, REVOKED, TRY_AGAIN } from './close-codes.ts';
import type { Connection } from './connections.ts';
import { outbox } from './outbox.ts';
import type { LinkTiming } from './timing.ts';

type Deps = Readonly<{
  hashAddress: (ip: string) => string;
  timing: Pick<LinkTiming, 'lingerMs' | 'revokedMs'>;
  clock: Clock;
  logger: Logger;
  /** Told once, when nothing more can reach the device over this socket. */
  onOver: (connection: Connection) => void;
}>;

const roleOf = (header: string | undefined): DeviceRole =>
  header === 'desktop' || header === 'mobile' ? header : 'other';

/** Makes a connection of a socket; it is over when either side closes it. */
export const connecting =
  ({ hashAddress, timing, clock, logger, onOver }: Deps) =>
  (socket: Socket, caller: Caller, opening: Opening): Connection => {
    const { requestId } = opening;
    let isOpen = true;
    const over = (): void => {
      if (!isOpen) return;
      isOpen = false;
      connection.outbox.shut();
      onOver(connection);
    };
    const close = (code: number, reason: string, lastWord?: string): void => {
      if (!isOpen) return;
      if (lastWord !== undefined) connection.outbox.sendLast(lastWord);
      socket.close(code, reason);
      const cut = setTimeout(() => socket.terminate(), code === REVOKED ? timing.revokedMs : timing.lingerMs);
      cut.unref();
      socket.once('close', () => clearTimeout(cut));
      over();
    };
    const connection: Connection = {
      caller,
      outbox: outbox(socket, () => clock().getTime(), {
        overflow: () => {
          logger.warn({ userId: caller.userId, requestId }, 'a device does not read; it is to come back');
          close(TRY_AGAIN, 'too much waits to be read; come back and resume');
        },
        dropped: (frames) =>
          logger.warn({ userId: caller.userId, requestId, frames }, 'a device reads slowly: some pieces were left out'),
      }),
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
