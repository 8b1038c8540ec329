/** One row of a tenant in every table. A new table needs a line here: the test that counts them says so. */
export function sampleRows(tenant: string): string {
  const id = '00000000-0000-7000-8000-000000000001';
  return `
    INSERT INTO tenants (tenant_id, name) VALUES ('${tenant}', 't');
    INSERT INTO api_keys (tenant_id, key_id, name, prefix, hash, scopes)
      VALUES ('${tenant}', '${id}', 'k', 'p', sha256('${tenant}'), '{chat}');
    INSERT INTO users (tenant_id, user_id) VALUES ('${tenant}', 'alice');
    INSERT INTO rooms (tenant_id, room_id, type) VALUES ('${tenant}', '${id}', 'group');
    INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
      VALUES ('${tenant}', '${id}', 'alice', 'admin', 0, 1);
    INSERT INTO cursors (tenant_id, room_id, user_id) VALUES ('${tenant}', '${id}', 'alice');
    INSERT INTO dead_letters (tenant_id, room_id, user_id, from_seq, to_seq, letter_no, attempts, last_attempt_at, error)
      VALUES ('${tenant}', '${id}', 'alice', 1, 1, 1, 5, now(), 'x');
    INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
      VALUES ('${tenant}', '${id}', 1, '${id}', 1, 'alice', 'x', now());
    INSERT INTO room_events (tenant_id, room_id, rev, type, payload) VALUES ('${tenant}', '${id}', 2, 'x', '{}');
    INSERT INTO jobs (tenant_id, kind, key, payload) VALUES ('${tenant}', 'x', 'x', '{}');
    INSERT INTO ws_tickets (tenant_id, ticket_id, expires_at) VALUES ('${tenant}', gen_random_uuid(), now());
    INSERT INTO held_messages (tenant_id, room_id, seq, rev, sender_id, content)
      VALUES ('${tenant}', '${id}', 1, 1, 'alice', 'x');
    ${stateRows(tenant, id)}
    INSERT INTO message_versions (tenant_id, room_id, seq, rev, content, said_at) VALUES ('${tenant}', '${id}', 1, 1, 'x', now());
    INSERT INTO member_settings (tenant_id, room_id, user_id) VALUES ('${tenant}', '${id}', 'alice');
    INSERT INTO notifications (tenant_id, notification_id, topic, payload, user_ids, topic_subscribers)
      VALUES ('${tenant}', '${id}', 't', '{}', '{alice}', false);
    INSERT INTO notification_deliveries (tenant_id, user_id, notification_id, waits_since)
      VALUES ('${tenant}', 'alice', '${id}', now());
    INSERT INTO subscriptions (tenant_id, subscription_id, user_id, topic) VALUES ('${tenant}', '${id}', 'alice', 't');
    INSERT INTO webhooks (tenant_id, url, events) VALUES ('${tenant}', 'https://example.com/', '{}');
    INSERT INTO webhook_deliveries (tenant_id, delivery_id, type) VALUES ('${tenant}', '${id}', 'x');
    INSERT INTO model_channels
      (tenant_id, channel_id, name, provider, base_url, model, priority, weight, enabled, timeout_ms)
      VALUES ('${tenant}', '${id}', 'c', 'echo', '', 'm', 0, 1, true, 1000);
    INSERT INTO chats (tenant_id, room_id, user_id, preset, auto_title)
      VALUES ('${tenant}', '${id}', 'alice', 'default', true);
    INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq) VALUES ('${tenant}', '${id}', '${id}', 'alice', 1);
    ${answerRows(tenant, id)}
    INSERT INTO presets (tenant_id, name, system_prompt, context_messages) VALUES ('${tenant}', 'p', '', 20);
    INSERT INTO idempotency_keys (tenant_id, user_id, route, key, fingerprint, result, expires_at)
      VALUES ('${tenant}', 'alice', 'POST /x', 'k', '', '{}', now());
    ${longWorkRows(tenant, id)}
    ${auditRows(tenant)}
    ${countedRows(tenant, id)}
    -- A transaction's own, which is gone at its end: here it stays.
    SET LOCAL session_replication_role = replica;
    INSERT INTO tenant_count_deltas (tenant_id, users) VALUES ('${tenant}', 1);
    SET LOCAL session_replication_role = origin;
  `;
}

/** Of an agent, and of the run that there is. */
function answerRows(tenant: string, id: string): string {
  return `
    INSERT INTO users (tenant_id, user_id) VALUES ('${tenant}', 'agent_p');
    INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
      VALUES ('${tenant}', '${id}', 'agent_p', 'agent', 0, 2);
    INSERT INTO room_agents (tenant_id, room_id, agent_id, preset, respond)
      VALUES ('${tenant}', '${id}', 'agent_p', 'p', 'mention');
    INSERT INTO run_chunks (tenant_id, run_id, first_index, text, ends) VALUES ('${tenant}', '${id}', 0, 'x', '{1}');
    INSERT INTO charges (tenant_id, charge_id, day, user_id, room_id, context_tokens, reserved)
      VALUES ('${tenant}', '${id}', '2026-01-31', 'alice', '${id}', 1, 2);
    INSERT INTO charge_days (tenant_id, day, scope, subject) VALUES ('${tenant}', '2026-01-31', 'user', 'alice');
  `;
}

/** What is counted of a tenant. */
function countedRows(tenant: string, room: string): string {
  return `
    INSERT INTO stats_minutes
      (tenant_id, minute, connections, online, messages_sent, deliveries, refused, tokens)
      VALUES ('${tenant}', now(), 1, 1, 1, 1, 0, 0);
    INSERT INTO usage_days (tenant_id, day, part) VALUES ('${tenant}', '2026-01-31', 1);
    INSERT INTO usage_users (tenant_id, user_id, day) VALUES ('${tenant}', 'alice', '2026-01-31');
    INSERT INTO usage_chats (tenant_id, room_id, day) VALUES ('${tenant}', '${room}', '2026-01-31');
    INSERT INTO usage_models (tenant_id, channel, preset, day) VALUES ('${tenant}', 'c', 'p', '2026-01-31');
    INSERT INTO usage_rooms (tenant_id, room_id) VALUES ('${tenant}', '${room}');
    INSERT INTO usage_state (tenant_id, complete_to) VALUES ('${tenant}', now());
    INSERT INTO tenant_feeds (tenant_id, epoch, began_before) VALUES ('${tenant}', 1, 1);
    INSERT INTO tenant_feed (tenant_id, no, room_id, from_rev, to_rev) VALUES ('${tenant}', 1, '${room}', 0, 1);
    INSERT INTO tenant_feed_rooms (tenant_id, room_id, collected_rev) VALUES ('${tenant}', '${room}', 1);
  `;
}

/** What administrators did. */
function auditRows(tenant: string): string {
  return `
    INSERT INTO audit_heads (tenant_id, n, mac, key_id, seal) VALUES ('${tenant}', 1, '', 'k', '');
    INSERT INTO audit_log (tenant_id, n, at, actor, action, entry, key_id, mac)
      VALUES ('${tenant}', 1, now(), 'master', 'x', '{}', 'k', '');
    INSERT INTO audit_subjects (tenant_id, ref, user_id) VALUES ('${tenant}', 'r', 'alice');
  `;
}

/** What is deleted, erased, exported and imported. */
function stateRows(tenant: string, id: string): string {
  return `
    INSERT INTO message_reactions (tenant_id, room_id, seq, user_id, key, rev, created_at)
      VALUES ('${tenant}', '${id}', 1, 'alice', 'x', 3, now());
    INSERT INTO message_reaction_counts (tenant_id, room_id, seq, message_id, rev, counts)
      VALUES ('${tenant}', '${id}', 1, '${id}', 3, '[{"key": "x", "count": 1, "users": ["alice"]}]');
    INSERT INTO room_pins (tenant_id, room_id, seq, message_id, rev, pinned_by, pinned_at)
      VALUES ('${tenant}', '${id}', 1, '${id}', 4, 'alice', now());
  `;
}

function longWorkRows(tenant: string, id: string): string {
  return `
    INSERT INTO imports (tenant_id, import_id, source) VALUES ('${tenant}', '${id}', 'chatapi');
    INSERT INTO import_rooms (tenant_id, room_id, import_id) VALUES ('${tenant}', '${id}', '${id}');
    INSERT INTO erasures (tenant_id, erasure_id, user_id, mac_key_id, erased_id)
      VALUES ('${tenant}', '${id}', 'alice', 'k', 'erased_1');
    INSERT INTO exports (tenant_id, export_id, kind, user_id) VALUES ('${tenant}', '${id}', 'user', 'alice');
    INSERT INTO tenant_deletions (tenant_id, deletion_id, request_id) VALUES ('${tenant}', '${id}', 'x');
  `;
}
