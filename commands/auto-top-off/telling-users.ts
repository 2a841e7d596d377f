import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { Notifier } from '../notifications/notifier.ts';

/** Automatic buying has ended for somebody who was not told. `ref` names the end, `code` says why. */
export type EndedTopOff = Readonly<{ userId: string; ref: string; code: string }>;

type Deps = Readonly<{
  /** Users who were not told yet. */
  untold: () => Promise<readonly EndedTopOff[]>;
  notifier: Pick<Notifier, 'notify'>;
  clock: Clock;
  logger: Logger;
}>;

const WHY: Readonly<Record<string, string>> = {
  authentication_required: 'Your bank wants to hear from you before it pays.',
  card_declined: 'Your card was declined.',
  payment_method_required: 'There is no payment method to charge any more.',
  billing_address_required: 'The billing address is not complete any more.',
  invalid_argument: 'The amount cannot be bought any more.',
};

const toldOf = ({ code, ref }: EndedTopOff) => ({
  title: 'Automatic top-off has stopped',
  body: `${WHY[code] ?? 'The payment did not work.'} Credit is not bought by itself until you set it up again.`,
  data: { type: 'payment', code, reference: ref },
});

/** Tells users that automatic buying has ended, each end once. Resolves with how many were told. */
export const tellingOfEndedTopOffs =
  ({ untold, notifier, clock, logger }: Deps) =>
  async (): Promise<number> => {
    const ended = await untold();
    for (const one of ended) {
      const at = isoOf(clock());
      const id = uuidOf(`ended-top-off|${one.userId}|${one.ref}`);
      const cause: Cause = { at, correlationId: id, causationId: id, actor: { kind: 'job', id: 'ended-top-offs' } };
      try {
        const order = { userId: one.userId, kind: 'payment', jobId: one.ref, told: toldOf(one) } as const;
        await notifier.notify(order, cause);
      } catch (error) {
        logger.warn({ err: error, userId: one.userId }, 'somebody is told later that automatic buying has ended');
      }
    }
    return ended.length;
  };
