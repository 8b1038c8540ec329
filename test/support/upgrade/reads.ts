import { documentedRoutes } from '../documented-routes';
import type { RecordedAnswer } from './fixture';
import type { ScenarioResult } from './scenario';

type Read = Pick<RecordedAnswer, 'by' | 'path'>;

/** Routes that say how the server is just now, and streams. */
const OF_THE_MOMENT = [
  '/health',
  '/health/live',
  '/health/ready',
  '/metrics',
  '/whoami',
  '/admin/jobs',
  '/admin/connections',
];
const isStream = (path: string): boolean => path.endsWith('/stream');

/** Every GET of the API, by those who may and those who may not; throws when a documented one is missing. */
export function readsOf(world: ScenarioResult, messageIds: readonly string[]): Read[] {
  const reads = [...administration(world), ...roomReads(world, messageIds), ...chatReads(world)];
  const missing = documentedRoutes()
    .filter(({ method, path }) => method === 'GET' && !OF_THE_MOMENT.includes(path) && !isStream(path))
    .filter(({ path }) => !reads.some((read) => patternOf(path).test(read.path)))
    .map(({ path }) => path);
  if (missing.length > 0) throw new Error(`the story reads nothing of ${missing.join(', ')}`);
  return reads;
}

function administration({ tenantPath, channel }: ScenarioResult): Read[] {
  return [
    ...by(['master'], ['/admin/tenants?limit=100', '/api/channels/environment']),
    ...by(['master', 'key', 'chatKey', 'other'], [tenantPath, `${tenantPath}/keys?limit=100`, `${tenantPath}/webhook`]),
    ...by(['key'], [`${tenantPath}/webhook/deliveries?limit=100`, '/admin/dead-letters?limit=100']),
    ...by(['key', 'other'], ['/api/channels', `/api/channels/${channel}`, '/api/presets', '/api/presets/support']),
    ...by(['key'], ['/api/presets/gone', '/api/presets/default']),
  ];
}

function roomReads({ rooms }: ScenarioResult, messageIds: readonly string[]): Read[] {
  const people = ['alice', 'bob', 'carol', 'dave', 'other', 'gone'];
  const group = `/rooms/${rooms.group}`;
  const ofRooms = Object.values(rooms).map((room) => `/rooms/${room}`);
  return [
    ...by(people, ['/rooms?limit=100', '/rooms?scope=joinable', '/subscriptions', '/notifications?limit=100']),
    ...by(people, ofRooms),
    ...by(
      ['alice', 'dave'],
      ofRooms.flatMap((room) => [`${room}/members?limit=100`, `${room}/presence`]),
    ),
    ...by(
      ['alice', 'dave'],
      ofRooms.flatMap((room) => [`${room}/messages?limit=100`, `${room}/changes?limit=100`]),
    ),
    ...by(['bob'], [`${group}/messages?limit=3&before_seq=6`, `${group}/messages?limit=3&after_seq=3&order=desc`]),
    ...by(['bob'], [`${group}/changes?after_rev=8&limit=5`, '/rooms?limit=2&offset=1']),
    ...by(
      ['bob', 'other'],
      messageIds.map((id) => `${group}/messages/${id}`),
    ),
  ];
}

function chatReads({ chats, conversation }: ScenarioResult): Read[] {
  const each = Object.values(chats).flatMap((id) => [`/api/v1/chats/${id}`, `/api/v1/chats/${id}/messages?limit=100`]);
  return [
    ...by(['key', 'other'], each),
    ...by(
      ['key'],
      ['/api/v1/chats/user/alice?limit=100', '/api/v1/chats/user/bob', '/api/v1/chats/user/alice?limit=2&order=asc'],
    ),
    ...by(['key'], ['/api/conversations?userId=alice', '/api/conversations?userId=bob&groupId=g-1']),
    ...by(['key', 'other'], [`/api/conversations/${conversation}`]),
  ];
}

function by(callers: readonly string[], paths: readonly string[]): Read[] {
  return callers.flatMap((caller) => paths.map((path) => ({ by: caller, path })));
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/?]+')}(\\?|$)`);
}
