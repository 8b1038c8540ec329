/**
 * Transfer: what a tenant or a person has, as a file (docs/adr/0035).
 */
export { TransferModule } from './transfer.module';
