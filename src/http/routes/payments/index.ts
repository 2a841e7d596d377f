import type { TopOffs } from '../../../../commands/auto-top-off/topping-off.ts';
import type { PurchasePolicy } from '../../../../commands/purchases/fee-tiers.ts';
import type { Endpoint } from '../../endpoint.ts';
import { addPaymentMethod, buyCredit, openPortal } from './checkout.ts';
import type { PaymentDeps } from './deps.ts';
import { listNotices, receiveNotice, replayNotice } from './notices.ts';
import { listInvoices, pageStatus, paymentMethods, publishableKey } from './reading.ts';
import { returnPages } from './return-pages.ts';
import { setTopOff, topOffSettings } from './top-off-settings.ts';

export type PaymentEndpointDeps = PaymentDeps &
  Readonly<{
    policy: () => Promise<PurchasePolicy>;
    topOffs: TopOffs;
    /** Told when somebody has switched automatic buying on. */
    topOffSet: (userId: string) => void;
  }>;

/** Everything about paying. What is read comes from read models, so that it is there when the provider is not. */
export const paymentEndpoints = (deps: PaymentEndpointDeps): readonly Endpoint[] => [
  topOffSettings(deps),
  setTopOff(deps),
  paymentMethods(deps),
  listInvoices(deps),
  pageStatus(deps),
  publishableKey(deps.publishableKey),
  openPortal(deps),
  buyCredit(deps),
  addPaymentMethod(deps),
  receiveNotice(deps),
  listNotices(deps),
  replayNotice(deps),
  ...returnPages(),
];
