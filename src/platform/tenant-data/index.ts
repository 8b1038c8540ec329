/**
 * What becomes of a tenant's data, said by each table beside its columns: when its rows go with their tenant, what of them
 * is exported, what an erase of a person does to them, how long they are kept. A new table cannot be forgotten: a test
 * compares what is said with the tables that there are (test/integration/table-data.int-spec.ts), and docs/data.md shows it.
 */
export { filesFolder, tenantFolders } from './files';
export { type EraseBatch, EraseStep, EraseSteps, eraseFunction, type EraseWork } from './erase-steps';
export {
  type ExportPages,
  ROOM_LINES,
  TENANT_SOURCE,
  TenantExport,
  type TenantSource,
  USER_SOURCE,
  UserExport,
  type UserSource,
  withIds,
} from './export-source';
export { Paced } from './paced';
export {
  cannotHold,
  type ColumnData,
  CONFIGURATION,
  ERASE_STEPS,
  type EraseStepName,
  erasedBy,
  FIXED_WORD,
  INSTALLATION_TABLES,
  NEVER,
  notExported,
  type NotExported,
  type TableDeclaration,
  TableData,
  tableData,
  TENANT_LINES,
  type TenantLine,
  USER_LINES,
  type UserLine,
} from './table-data';
