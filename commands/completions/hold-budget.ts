import { isDomainError } from '../../src/kernel/errors.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { Ledger } from './ledger.ts';
import type { Plan } from './plan.ts';
import type { UsageMeter } from './usage-meter.ts';

/** Ask for more money when this share of the hold, in percent, is used. */
const EXTEND_AT = 80n;
/** The least that is added to a hold, so that a stream does not live from hand to mouth: a cent. */
const LEAST_EXTENSION: MicroUsd = 10_000n;

type Deps = Readonly<{ plan: Plan; ledger: Ledger; meter: UsageMeter; logger: Logger }>;

/**
 * Keeps an answer within the money on hold. The function that it makes adds to the hold when the answer nears its end;
 * resolves with false when there is no more and the answer has to stop. Never rejects.
 */
export const holdBudget = ({ plan, ledger, meter, logger }: Deps): (() => Promise<boolean>) => {
  const initial = plan.estimate + plan.margin;
  const add = initial > LEAST_EXTENSION ? initial : LEAST_EXTENSION;
  let held = initial;
  const watch = (): void => meter.budget((held * EXTEND_AT) / 100n);
  watch();

  return async () => {
    await meter.count();
    if (!meter.mayExceed()) return true;
    try {
      await ledger.extend(add);
    } catch (error) {
      const { requestId } = plan;
      if (!isDomainError(error)) logger.warn({ requestId, err: error }, 'the hold could not be extended');
      return false;
    }
    held += add;
    watch();
    return true;
  };
};
