/** Answers that their reader may keep and ask after again: an ETag, and 304 for who has that answer already. */
import type { FastifyReply } from 'fastify';
import { hash } from 'node:crypto';
import { VERSION } from '../../common/version';
import { formatOf, JsonText } from './answers';

/** Something that an answer depends on. */
export type Fact = string | number | boolean;

const CACHE_HEADERS = {
  'cache-control': 'private, no-cache',
  // `Origin` too: an origin that the tenant does not list is refused.
  vary: 'Authorization, X-API-Key, X-User-Id, X-Response-Format, Origin',
};
/** 132 bits. */
const TAG_CHARACTERS = 22;
/** An element of a list of entity tags, which may be empty, with the comma behind it. */
const ELEMENT = /[\t ]*(?:(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")[\t ]*)?(?:,|$)/y;

/**
 * The body of a success that carries an ETag; undefined, with the status 304, where the request's `If-None-Match` names
 * it. The caller's right to the answer has to be established before. Headers that the route sets itself are the same with
 * either status, so they belong to the facts.
 * @param facts what determines the answer, beside the release and the format: the same ones make the same bytes
 * @param body the JSON of the answer, bare
 */
export function tagged(reply: FastifyReply, facts: readonly Fact[], body: () => string): JsonText | undefined {
  const { request } = reply;
  const tag = tagOf([VERSION, formatOf(request), ...facts]);
  reply.headers(CACHE_HEADERS).header('etag', tag);
  if (!namesTag(request.headers['if-none-match'], tag)) return new JsonText(body());
  reply.status(304);
  // Fastify measures the body that it leaves away, and a 304 may tell only the length that the 200 has.
  return request.method === 'HEAD' ? new JsonText(body()) : undefined;
}

function tagOf(facts: readonly Fact[]): string {
  return `"${hash('sha256', facts.join('|'), 'base64url').slice(0, TAG_CHARACTERS)}"`;
}

/** Whether an If-None-Match names the tag, in the weak comparison of RFC 9110; what is no list of tags names nothing. */
export function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  let isNamed = false;
  for (let at = 0; at < header.length; at = ELEMENT.lastIndex) {
    ELEMENT.lastIndex = at;
    const found = ELEMENT.exec(header);
    if (!found) return false;
    isNamed ||= found[1] === tag;
  }
  return isNamed;
}
