import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import type { AgentRow, AgentSettings } from './agents.functions';

/** Reads the agents of rooms. */
@Injectable()
export class AgentsRepository {
  constructor(private readonly database: Database) {}

  /** A room's agents in the order of their ids; undefined: the room does not exist. */
  async ofRoom(
    tenantId: string,
    roomId: string,
    userId: string,
  ): Promise<
    { readonly allowed: boolean; readonly settings: AgentSettings; readonly agents: readonly AgentRow[] } | undefined
  > {
    const [row] = await this.database.query<{
      allowed: boolean;
      settings: AgentSettings | null;
      agents: readonly AgentRow[];
    }>(
      'agents of a room',
      tenantId,
      `SELECT x.allowed, (SELECT r.settings FROM agents_settings($1, $2) r) AS settings,
         COALESCE((SELECT jsonb_agg(agent_json(a) ORDER BY a.agent_id) FROM room_agents a
           WHERE a.tenant_id = $1 AND a.room_id = $2), '[]') AS agents
       FROM room_access($1, $2, $3) x`,
      [tenantId, roomId, userId],
    );
    return row && { ...row, settings: row.settings ?? {} };
  }
}
