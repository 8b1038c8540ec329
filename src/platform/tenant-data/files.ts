import { join } from 'node:path';

/** Below DATA_DIR: what holds files of tenants, each in a folder of its own. */
const HOLDERS = ['exports', 'imports'] as const;

/** Where a tenant's files of a kind are; the folder need not be there. @param tenantId UUID */
export function tenantFolder(dataDir: string, holder: (typeof HOLDERS)[number], tenantId: string): string {
  return join(dataDir, holder, tenantId);
}

/** All folders that may hold files of a tenant. */
export function tenantFolders(dataDir: string, tenantId: string): string[] {
  return HOLDERS.map((holder) => tenantFolder(dataDir, holder, tenantId));
}
