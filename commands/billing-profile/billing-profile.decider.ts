import type { BillingProfileEvent } from '../../src/events/billing-profile/billing-profile.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microText } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import type { BillingProfileCommand, ConfigureTopOff, LearnCustomer } from './billing-profile.commands.ts';
import { evolveProfile } from './billing-profile.evolve.ts';
import { canBeCharged, canBeInvoiced, noProfile, type BillingProfile } from './billing-profile.state.ts';

/** Refuses what can only be paid by somebody with a default method and a full address. */
export const refuseUnlessPayable = (profile: BillingProfile): void => {
  if (!canBeCharged(profile)) {
    throw new DomainError('payment_method_required', 'add a payment method first, and make it the default one');
  }
  if (!canBeInvoiced(profile)) {
    throw new DomainError('billing_address_required', 'complete name and address for the invoices first');
  }
};

/** Automatic buying is never on where it could not work. */
const ending = (
  profile: Pick<BillingProfile, 'methods' | 'defaultMethodId' | 'hasName' | 'addressComplete' | 'topOff'>,
  said: Readonly<{ userId: string; at: IsoTime }>,
): readonly BillingProfileEvent[] => {
  if (profile.topOff?.enabled !== true || (canBeCharged(profile) && canBeInvoiced(profile))) return [];
  const reason = canBeCharged(profile) ? 'billing_address_required' : 'payment_method_required';
  return [{ type: 'AutoTopOffDisabled', data: { ...said, by: 'system', reason } }];
};

const learn = ({ data }: LearnCustomer, profile: BillingProfile): readonly BillingProfileEvent[] => {
  const { userId, customerId, learned, seen, at } = data;
  if (profile.customerId !== customerId || profile.learned !== seen) return [];
  const { details, methods, defaultMethodId } = learned;
  const said = { userId, at };
  const { sealed, ...open } = details;
  const gone = profile.methods.filter((known) => methods.every(({ pmId }) => pmId !== known));
  const after = { ...profile, ...open, methods: methods.map(({ pmId }) => pmId), defaultMethodId };
  return [
    ...(details.digest === profile.digest
      ? []
      : [{ type: 'BillingDetailsChanged' as const, data: { ...said, ...open, details: sealed } }]),
    ...methods
      .filter(({ pmId }) => !profile.methods.includes(pmId))
      .map((method) => ({ type: 'PaymentMethodAttached' as const, data: { ...said, ...method } })),
    ...gone.map((pmId) => ({ type: 'PaymentMethodDetached' as const, data: { ...said, pmId } })),
    ...(defaultMethodId === profile.defaultMethodId
      ? []
      : [{ type: 'DefaultPaymentMethodChanged' as const, data: { ...said, pmId: defaultMethodId } }]),
    ...ending(after, said),
  ];
};

const configure = ({ data }: ConfigureTopOff, profile: BillingProfile): readonly BillingProfileEvent[] => {
  const { userId, threshold, amountMinor, mandateTextVersion, at } = data;
  refuseUnlessPayable(profile);
  const { topOff } = profile;
  if (topOff?.enabled === true && topOff.threshold === threshold && topOff.amountMinor === amountMinor) return [];
  const wanted = { threshold: microText(threshold), amountMinor, mandateTextVersion };
  return [{ type: 'AutoTopOffConfigured', data: { userId, ...wanted, at } }];
};

const linking = (
  command: Extract<BillingProfileCommand, { type: 'RequestCustomer' | 'LinkCustomer' | 'UnlinkCustomer' }>,
  profile: BillingProfile,
): readonly BillingProfileEvent[] => {
  const { userId, at } = command.data;
  switch (command.type) {
    case 'RequestCustomer':
      if (profile.customerId !== null || profile.requestedAt !== null) return [];
      return [{ type: 'StripeCustomerRequested', data: { userId, attempt: profile.unlinked, at } }];
    case 'LinkCustomer':
      return profile.customerId === null ? [{ type: 'StripeCustomerLinked', data: command.data }] : [];
    case 'UnlinkCustomer':
      return profile.customerId === command.data.customerId
        ? [
            ...profile.methods.map((pmId) => ({ type: 'PaymentMethodDetached' as const, data: { userId, pmId, at } })),
            { type: 'StripeCustomerUnlinked', data: command.data },
            ...ending({ ...noProfile, topOff: profile.topOff }, { userId, at }),
          ]
        : [];
    default:
      return never(command);
  }
};

const pages = (
  { type, data }: Extract<BillingProfileCommand, { type: 'NoteSetup' | 'EndSetup' }>,
  { openSetups }: BillingProfile,
): readonly BillingProfileEvent[] => {
  const isOpen = openSetups.includes(data.sessionId);
  if (type === 'NoteSetup') return isOpen ? [] : [{ type: 'SetupSessionOpened', data }];
  return isOpen ? [{ type: 'SetupSessionEnded', data }] : [];
};

const decide = (command: BillingProfileCommand, profile: BillingProfile): readonly BillingProfileEvent[] => {
  switch (command.type) {
    case 'RequestCustomer':
    case 'LinkCustomer':
    case 'UnlinkCustomer':
      return linking(command, profile);
    case 'LearnCustomer':
      return learn(command, profile);
    case 'NoteSetup':
    case 'EndSetup':
      return pages(command, profile);
    case 'ConfigureTopOff':
      return configure(command, profile);
    case 'DisableTopOff':
      return profile.topOff?.enabled === true ? [{ type: 'AutoTopOffDisabled', data: command.data }] : [];
    default:
      return never(command);
  }
};

/** Decides what is known of how a user pays. */
export const billingProfileDecider: Decider<BillingProfile, BillingProfileCommand, BillingProfileEvent> = {
  initial: noProfile,
  evolve: evolveProfile,
  decide,
};
