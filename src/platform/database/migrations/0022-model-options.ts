import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { roleNames } from '../roles';

const CREATED = 'channel_create(uuid, uuid, integer, text, jsonb), preset_create(uuid, integer, jsonb)';

/**
 * What channels and presets are given beyond their columns: an object that only the server reads, so that the next
 * parameter of some provider needs no column. The functions of the release before stay, under their longer signatures.
 */
export class ModelOptions1765411200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const tenant = quote(roleNames(row?.role_prefix ?? '').tenant);
    await runner.query(`
      ALTER TABLE model_channels ADD COLUMN options jsonb NOT NULL DEFAULT '{}';
      ALTER TABLE presets ADD COLUMN options jsonb NOT NULL DEFAULT '{}';`);
    await runner.query(FUNCTIONS);
    await runner.query(`
      REVOKE ALL ON FUNCTION ${CREATED} FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION ${CREATED} TO ${tenant};`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

/**
 * Both count before they insert, so they first lock the row of the tenant: two at a time would both find room for one.
 * What they return is remembered for an Idempotency-Key, so it must not hold a channel's key, sealed or not.
 */
const FUNCTIONS = `
CREATE FUNCTION channel_create(p_tenant uuid, p_id uuid, p_limit integer, p_api_key text, p_values jsonb)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  v model_channels := jsonb_populate_record(NULL::model_channels, p_values);
  c model_channels;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF (SELECT count(*) FROM model_channels x WHERE x.tenant_id = p_tenant) >= p_limit THEN
    RETURN jsonb_build_object('status', 'full');
  END IF;
  INSERT INTO model_channels AS x (tenant_id, channel_id, name, provider, base_url, api_key, model, priority, weight,
    enabled, max_tokens, temperature, timeout_ms, options)
  VALUES (p_tenant, p_id, v.name, v.provider, v.base_url, p_api_key, v.model, v.priority, v.weight,
    v.enabled, v.max_tokens, v.temperature, v.timeout_ms, v.options)
  ON CONFLICT (tenant_id, name) DO NOTHING RETURNING x.* INTO c;
  IF c.channel_id IS NULL THEN RETURN jsonb_build_object('status', 'taken'); END IF;
  RETURN jsonb_build_object('status', 'ok',
    'channel', to_jsonb(c) - 'api_key' || jsonb_build_object('has_api_key', c.api_key IS NOT NULL));
END $f$;

CREATE FUNCTION preset_create(p_tenant uuid, p_limit integer, p_values jsonb)
RETURNS jsonb LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, public AS $f$
DECLARE
  v presets := jsonb_populate_record(NULL::presets, p_values);
  p presets;
BEGIN
  PERFORM 1 FROM tenants t WHERE t.tenant_id = p_tenant FOR NO KEY UPDATE;
  IF (SELECT count(*) FROM presets x WHERE x.tenant_id = p_tenant AND x.name <> 'default') >= p_limit THEN
    RETURN jsonb_build_object('status', 'full');
  END IF;
  INSERT INTO presets AS x (tenant_id, name, system_prompt, model, temperature, max_tokens, context_messages, options)
  VALUES (p_tenant, v.name, v.system_prompt, v.model, v.temperature, v.max_tokens, v.context_messages, v.options)
  ON CONFLICT (tenant_id, name) DO NOTHING RETURNING x.* INTO p;
  IF p.name IS NULL THEN RETURN jsonb_build_object('status', 'taken'); END IF;
  RETURN jsonb_build_object('status', 'ok', 'preset', to_jsonb(p));
END $f$;
`;
