import { Injectable } from '@nestjs/common';
import { SystemDatabase } from './database';

/** Of the secrets that all servers on a database share. */
export interface Fingerprints {
  readonly jwt: string;
  readonly encryption: string;
}

/** The one row of the table `instance`: what the installation knows of itself. Its epoch is read by `Epoch`. */
@Injectable()
export class InstanceRepository {
  constructor(private readonly system: SystemDatabase) {}

  /** Whether no start has shown the first API key yet. */
  async isFresh(): Promise<boolean> {
    const [row] = await this.system.query<{ fresh: boolean }>(
      'first start?',
      'SELECT bootstrapped_at IS NULL AS fresh FROM instance',
    );
    return row?.fresh === true;
  }

  async markBootstrapped(): Promise<void> {
    await this.system.query('first start done', 'UPDATE instance SET bootstrapped_at = clock_timestamp()');
  }

  /** A sealed canary per encryption key that the database was started with. */
  async keyCanaries(): Promise<readonly string[]> {
    const [row] = await this.system.query<{ key_canaries: string[] }>('canaries', 'SELECT key_canaries FROM instance');
    return row?.key_canaries ?? [];
  }

  async keepKeyCanaries(canaries: readonly string[]): Promise<void> {
    await this.system.query('keep canaries', 'UPDATE instance SET key_canaries = $1', [canaries]);
  }

  async instanceId(): Promise<string> {
    const [row] = await this.system.query<{ id: string }>('instance', 'SELECT instance_id AS id FROM instance');
    if (row === undefined) throw new Error('the table instance is empty');
    return row.id;
  }

  /** From now on these are in force. */
  async keepFingerprints({ jwt, encryption }: Fingerprints): Promise<void> {
    await this.system.query(
      'keep fingerprints',
      `UPDATE instance SET jwt_fingerprint = $1, encryption_fingerprint = $2
       WHERE (jwt_fingerprint, encryption_fingerprint) IS DISTINCT FROM ($1, $2)`,
      [jwt, encryption],
    );
  }

  /** Those in force; these, where none are: of several servers that ask at once the first one decides. */
  async agreeOnFingerprints({ jwt, encryption }: Fingerprints): Promise<Fingerprints> {
    const [row] = await this.system.query<Fingerprints>(
      'agree on fingerprints',
      `UPDATE instance SET jwt_fingerprint = COALESCE(jwt_fingerprint, $1),
         encryption_fingerprint = COALESCE(encryption_fingerprint, $2)
       RETURNING jwt_fingerprint AS jwt, encryption_fingerprint AS encryption`,
      [jwt, encryption],
    );
    if (row === undefined) throw new Error('the table instance is empty');
    return row;
  }

  /** What is in the Redis of the servers on this database, and whether one of them has found it there lately. */
  async clusterNonce(seenMs: number): Promise<{ readonly nonce: string | null; readonly isSeen: boolean }> {
    const [row] = await this.system.query<{ nonce: string | null; is_seen: boolean }>(
      'cluster nonce',
      `SELECT cluster_nonce AS nonce,
         COALESCE(cluster_seen_at > clock_timestamp() - make_interval(secs => $1::float8 / 1000), false) AS is_seen
       FROM instance`,
      [seenMs],
    );
    return { nonce: row?.nonce ?? null, isSeen: row?.is_seen === true };
  }

  /** A server has found it. false: another one is in force. */
  async noteClusterNonce(nonce: string): Promise<boolean> {
    const found = await this.system.query(
      'cluster nonce seen',
      'UPDATE instance SET cluster_seen_at = clock_timestamp() WHERE cluster_nonce = $1 RETURNING true',
      [nonce],
    );
    return found.length > 0;
  }

  /** false: another one is in force, or a server has found it lately. The new one counts as found for a fifth of `seenMs`. */
  async replaceClusterNonce(former: string | null, nonce: string, seenMs: number): Promise<boolean> {
    const replaced = await this.system.query(
      'replace cluster nonce',
      `UPDATE instance
       SET cluster_nonce = $2, cluster_seen_at = clock_timestamp() - make_interval(secs => $3::float8 * 0.8 / 1000)
       WHERE cluster_nonce IS NOT DISTINCT FROM $1
         AND COALESCE(cluster_seen_at <= clock_timestamp() - make_interval(secs => $3::float8 / 1000), true)
       RETURNING true`,
      [former, nonce, seenMs],
    );
    return replaced.length > 0;
  }

  /** The database's clock, in milliseconds since 1970. */
  async clockMs(): Promise<number> {
    const [row] = await this.system.query<{ ms: number }>(
      'clock',
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms FROM instance',
    );
    if (row === undefined) throw new Error('the table instance is empty');
    return row.ms;
  }

  /** A real write, by which /health knows that the database takes one. */
  async writeCheck(): Promise<void> {
    await this.system.query('health', 'UPDATE instance SET checked_at = clock_timestamp()');
  }
}
