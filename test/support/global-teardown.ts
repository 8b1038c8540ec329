import { rmSync } from 'node:fs';

export default async function teardown(): Promise<void> {
  const cluster = globalThis.testCluster;
  if (!cluster) return;
  await cluster.postgres.stop();
  rmSync(cluster.dataDir, { recursive: true, force: true });
}
