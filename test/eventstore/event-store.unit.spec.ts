import { eventStoreContract } from '../contract/event-store.contract.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

eventStoreContract('in memory', () => Promise.resolve(memoryEventStore()));
