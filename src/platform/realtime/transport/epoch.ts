import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../database';

/** The installation's epoch, told in `hello`. Only a restore changes it, and no server runs through one: read once. */
@Injectable()
export class Epoch {
  private known: number | undefined;

  constructor(private readonly system: SystemDatabase) {}

  /** Rejects with 503 while it is not known and the database is away. */
  async read(): Promise<number> {
    if (this.known !== undefined) return this.known;
    const rows = await this.system.read<{ epoch: number }>('read epoch', 'SELECT epoch FROM instance');
    const epoch = rows[0]?.epoch;
    if (epoch === undefined) throw new Error('the table instance is empty');
    return (this.known = epoch);
  }
}
