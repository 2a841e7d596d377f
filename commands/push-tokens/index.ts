import { PUSH_TOKEN, type PushTokenEvent } from '../../src/events/push-token/push-token.events.ts';
import { pushTokenUpcasters } from '../../src/events/push-token/push-token.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { PushTokenCommand } from './push-tokens.commands.ts';
import { pushTokenDecider } from './push-tokens.decider.ts';
import type { PushToken } from './push-tokens.state.ts';

/** A push token, one stream each. */
export const pushToken: Aggregate<PushToken, PushTokenCommand, PushTokenEvent> = {
  category: PUSH_TOKEN,
  decider: pushTokenDecider,
  upcasters: pushTokenUpcasters,
};
