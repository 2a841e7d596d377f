import type { Logger } from '../../src/kernel/logger.ts';
import type { Delivery, Relay } from '../../src/kernel/relay.ts';

/** What an instance has said about whom to tell, and the telling. What a listener throws is logged and harms nobody. */
export type Taker = Readonly<{
  onDelivery: Relay['onDelivery'];
  onInterruption: Relay['onInterruption'];
  /** False when nobody listens. */
  deliver: (delivery: Delivery) => boolean;
  interrupted: () => void;
}>;

export const taker = (logger: Logger): Taker => {
  let take: ((delivery: Delivery) => void) | undefined;
  let tell: (() => void) | undefined;

  const safely = (work: () => void): void => {
    try {
      work();
    } catch (err) {
      logger.error({ err }, 'what the relay delivered could not be taken');
    }
  };

  return {
    onDelivery: (given) => {
      take = given;
    },
    onInterruption: (given) => {
      tell = given;
    },
    deliver: (delivery) => {
      const taken = take;
      if (taken !== undefined) safely(() => taken(delivery));
      return taken !== undefined;
    },
    interrupted: () => {
      if (tell !== undefined) safely(tell);
    },
  };
};
