import { eventStoreContract } from '../contract/event-store.contract.ts';
import { withSharedTail } from '../../infra/eventstore/shared-tail.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

eventStoreContract('in memory', () => Promise.resolve(memoryEventStore()));
eventStoreContract('in memory, with a shared tail', () => Promise.resolve(withSharedTail(memoryEventStore())));
