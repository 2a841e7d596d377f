import { READ_SCHEMA } from '../../src/kernel/query.ts';

/** The tables of a projection that readers see, those that are being built beside them, and those that were replaced. */
export type Slot = 'serving' | 'next' | 'old';

/** The schema that holds the tables of a slot. Nobody but the projector may look into those that readers do not see. */
export const schemaOf: Readonly<Record<Slot, string>> = { serving: READ_SCHEMA, next: 'rm_next', old: 'rm_old' };

/** The name of a slot's row in projector.state, of its lock and of its notifications. */
export const stateName = (projection: string, slot: Slot): string =>
  slot === 'serving' ? projection : `${projection}@${slot}`;

/** True for the name of such a row. */
export const isOfSlot = (name: string, slot: 'next' | 'old'): boolean => name.endsWith(stateName('', slot));

/** The projection whose row it is. */
export const projectionOf = (name: string): string => name.replace(/@.*$/, '');

/**
 * What stands for the definition of tables into which one release has written over the rows of another: no release takes
 * them for its own any more.
 */
export const MIXED = 'mixed';
