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
