import { join } from 'node:path';

/** Below DATA_DIR: what holds files of tenants, each in a folder of its own. */
const HOLDERS = ['exports', 'imports'] as const;

/** Where tenants' files of a kind are, each tenant's in a folder named by its UUID; it need not be there. */
export function filesFolder(dataDir: string, holder: (typeof HOLDERS)[number]): string {
  return join(dataDir, holder);
}

/** All folders that may hold files of a tenant. */
export function tenantFolders(dataDir: string, tenantId: string): string[] {
  return HOLDERS.map((holder) => join(filesFolder(dataDir, holder), tenantId));
}
