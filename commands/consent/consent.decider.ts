import type { ConsentEvent } from '../../src/events/consent/consent.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { never } from '../../src/kernel/never.ts';
import type { AcceptConsent, ConsentCommand, WithdrawConsent } from './consent.commands.ts';
import { placeName, type Consents } from './consent.state.ts';

const accept = ({ data }: AcceptConsent, consents: Consents): readonly ConsentEvent[] =>
  consents[placeName(data)] === data.version ? [] : [{ type: 'ConsentAccepted', data }];

const withdraw = ({ data }: WithdrawConsent, consents: Consents): readonly ConsentEvent[] => {
  const version = consents[placeName(data)];
  return version === undefined ? [] : [{ type: 'ConsentWithdrawn', data: { ...data, version } }];
};

const decide = (command: ConsentCommand, consents: Consents): readonly ConsentEvent[] => {
  switch (command.type) {
    case 'AcceptConsent':
      return accept(command, consents);
    case 'WithdrawConsent':
      return withdraw(command, consents);
    default:
      return never(command);
  }
};

const evolve = (consents: Consents, event: ConsentEvent): Consents => {
  const place = placeName(event.data);
  switch (event.type) {
    case 'ConsentAccepted':
      return { ...consents, [place]: event.data.version };
    case 'ConsentWithdrawn':
      return Object.fromEntries(Object.entries(consents).filter(([name]) => name !== place));
    default:
      return never(event);
  }
};

/** What a user agrees to. */
export const consentDecider: Decider<Consents, ConsentCommand, ConsentEvent> = { initial: {}, evolve, decide };
