/** What the operator answers for across all tenants: whether the server has the keys to what its database keeps sealed. */
export { AdminModule } from './admin.module';
export { KeyCheck } from './key-check';
