import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');
/** Swagger's, which writes /docs-yaml with it. */
const yaml = createRequire(require.resolve('@nestjs/swagger'))('js-yaml') as { load(text: string): unknown };

type Environment = Readonly<Record<string, string>>;

interface Service {
  readonly profiles?: readonly string[];
  readonly environment?: Environment;
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
}

/** `<<` says what else is in it; the parser of YAML 1.2 leaves that to us. */
function merged(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(merged);
  if (typeof value !== 'object' || value === null) return value;
  const { '<<': others, ...own } = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, merged(each)]));
  return { ...(others as object | undefined), ...own };
}

const { services, volumes } = merged(yaml.load(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'))) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

const NODES = ['app1', 'app2', 'app3'];
const service = (name: string): Service => {
  const found = services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no ${name}`);
  return found;
};

/** What `up haproxy` starts. */
function withDependencies(name: string): string[] {
  const direct = Object.keys(service(name).depends_on ?? {});
  return [...new Set([name, ...direct.flatMap(withDependencies)])];
}

describe('docker-compose.yml', () => {
  it('starts with the profile `cluster` haproxy and what it needs, and without it the single server as ever', () => {
    const inProfile = Object.entries(services).filter(([, { profiles }]) => profiles?.includes('cluster'));
    expect(withDependencies('haproxy').sort()).toEqual(inProfile.map(([name]) => name).sort());
    expect(withDependencies('haproxy')).toEqual(expect.arrayContaining([...NODES, 'redis', 'postgres-standby']));
    const others = Object.entries(services).filter(([, { profiles }]) => profiles === undefined);
    expect(others.map(([name]) => name)).toEqual(['app', 'postgres']);
    expect(service('app').environment).not.toHaveProperty('REDIS_URL');
  });

  it('mounts files that there are, and volumes that it names', () => {
    const mounts = Object.values(services).flatMap((each) => each.volumes ?? []);
    const sources = [...new Set(mounts.map((mount) => mount.split(':')[0] ?? ''))];
    const files = sources.filter((source) => source.startsWith('./'));
    expect(files).toHaveLength(4);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
    const named = sources.filter((source) => !source.startsWith('./'));
    expect(named.sort()).toEqual(Object.keys(volumes).sort());
  });

  it('gives the nodes all that they share, and each a name and a volume of its own', () => {
    const environments = NODES.map((name) => service(name).environment ?? {});
    expect(environments.map(({ CLUSTER_NODE_NAME: name }) => name)).toEqual(NODES);
    for (const { CLUSTER_NODE_NAME: _name, ...shared } of environments) {
      const { CLUSTER_NODE_NAME: _first, ...first } = environments[0] ?? {};
      expect(shared).toEqual(first);
      for (const secret of ['MASTER_API_KEY', 'JWT_SECRET', 'ENCRYPTION_KEY'])
        expect(shared[secret]).toMatch(new RegExp(`^\\$\\{${secret}:\\?`));
    }
    expect(new Set(NODES.flatMap((name) => service(name).volumes ?? [])).size).toBe(NODES.length);
  });

  it('leaves a node that stops the time that it takes', () => {
    for (const name of NODES) {
      const { DRAIN_DELAY_MS: delay, RUN_DRAIN_MS: runs } = service(name).environment ?? {};
      const grace = Number(service(name).stop_grace_period?.replace(/s$/, '')) * 1000;
      // 8 s is the default of SHUTDOWN_GRACE_MS.
      expect(Number(delay) + Number(runs) + 8000).toBeLessThan(grace);
    }
  });

  it('tells examples/haproxy.cfg where the nodes are, by the names that it asks for', () => {
    const example = readFileSync(join(ROOT, 'examples', 'haproxy.cfg'), 'utf8');
    const asked = [...example.matchAll(/\$\{(\w+)-/g)].map(([, name = '']) => name);
    expect(Object.keys(service('haproxy').environment ?? {}).sort()).toEqual(asked.sort());
    expect(Object.values(service('haproxy').environment ?? {})).toEqual([
      ':8080',
      ...NODES.map((name) => `${name}:8080`),
    ]);
  });
});
