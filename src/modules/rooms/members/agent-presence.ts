/** Whether agents can answer now: they have no connection that would say so. Implemented by the chats module. */
export abstract class AgentPresence {
  /** A channel of the tenant's may be asked. */
  abstract canAnswer(tenantId: string): Promise<boolean>;
}
