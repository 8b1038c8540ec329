import { schemaFunction, value } from '../../platform/database';

/** Whether rooms of a tenant are to be looked at again, and no other job waits that will. */
export const retentionGoesOn = schemaFunction('retention_goes_on', {}, value<boolean>('boolean'));
