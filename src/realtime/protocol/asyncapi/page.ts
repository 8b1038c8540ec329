import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pageHtml } from '../../../platform/http';
import { type AsyncApiDocument, buildSocketDocument, type JsonSchema } from './document';

interface Field {
  /** Where it stands in the frame, e.g. `rooms[].room_id`. */
  readonly path: string;
  readonly schema: JsonSchema;
  readonly isRequired: boolean;
}

interface Operation {
  readonly action: 'send' | 'receive';
  readonly channel: { readonly $ref: string };
  readonly title: string;
  readonly summary: string;
  readonly description?: string;
  readonly messages: readonly { readonly $ref: string }[];
  readonly reply?: { readonly messages: readonly { readonly $ref: string }[] };
}

interface Message {
  readonly name: string;
  readonly summary: string;
  readonly payload: JsonSchema;
  readonly examples?: readonly { readonly payload: unknown }[];
}

interface Channel {
  readonly address: string;
  readonly messages: Readonly<Record<string, { readonly $ref: string }>>;
  readonly bindings: { readonly ws: { readonly query: JsonSchema; readonly headers: JsonSchema } };
}

/**
 * The page of the sockets' document: static HTML, in which every frame is folded away until it is asked for. The script
 * (assets/docs/socket.js) searches in it; without it everything can still be read.
 */
function socketPage(document: AsyncApiDocument): string {
  const { description } = document['info'] as { readonly description: string };
  const [lead = '', ...sections] = description.split(/^## /m);
  const texts = new Map(sections.map((section) => splitAt(section, '\n')));
  const channels = Object.entries(document.channels as Readonly<Record<string, Channel>>);
  const addresses = channels.map(([, { address }]) => address);
  const shared = [...texts].filter(([title]) => !addresses.includes(title));
  const titles = [...addresses, 'Credentials', ...shared.map(([title]) => title)];
  const body = [
    '<main>',
    `<div class="lead"><h1>Sockets</h1>${markdown(lead)}</div>`,
    '<form class="search" role="search"><label for="search">Search</label>' +
      '<input id="search" type="search" placeholder="A frame, a field, an error, a close code" autocomplete="off" />' +
      '<output id="found" for="search"></output></form>',
    `<nav class="contents" aria-label="Contents">${titles.map((title) => `<a href="#${idOf(title)}">${escape(title)}</a>`).join('')}</nav>`,
    ...channels.map(([id, channel]) => channelSection(document, id, channel, texts.get(channel.address) ?? '')),
    section('Credentials', fieldTable(credentials(document))),
    ...shared.map(([title, text]) => section(title, markdown(text))),
    '</main>',
  ];
  return pageHtml({
    path: '/docs/ws',
    title: 'ChatAPI: sockets',
    styles: ['/docs/assets/socket.css'],
    scripts: [],
    module: '/docs/assets/socket.js',
    document: '/asyncapi.json',
    body: body.join('\n'),
  });
}

function section(title: string, content: string): string {
  return `<section id="${idOf(title)}"><h2>${escape(title)}</h2>${content}</section>`;
}

function channelSection(document: AsyncApiDocument, id: string, channel: Channel, text: string): string {
  const operations = Object.values(document.operations as Readonly<Record<string, Operation>>).filter(
    (operation) => nameIn(operation.channel) === id,
  );
  const messageOf = (ref: { readonly $ref: string }): Message =>
    resolved(document, resolved(document, ref)) as unknown as Message;
  const sent = operations.filter(({ action }) => action === 'receive');
  const replies = sent.flatMap(({ reply }) => reply?.messages ?? []).map(nameIn);
  const told = Object.entries(channel.messages)
    .filter(([name]) => !sent.some((operation) => nameIn(operation.messages[0]) === name))
    .map(([name, ref]) => ({ name, message: messageOf(ref) }));
  const { query, headers } = channel.bindings.ws;
  return section(
    channel.address,
    [
      markdown(text),
      '<h3>The request that opens it</h3>',
      fieldTable([...fieldsOf(document, query, '?'), ...fieldsOf(document, headers)]),
      '<h3>What you send</h3>',
      ...sent.map((operation) => {
        const answers = (operation.reply?.messages ?? []).map(nameIn);
        const links = answers.map((name) => `<a href="#${id}.${name}">${code(name)}</a>`).join(' or ');
        const more = `<p>${inline(operation.description ?? '')} Answered by ${links}.</p>`;
        return frame(document, id, messageOf(operation.messages[0] ?? { $ref: '' }), 'client', more);
      }),
      '<h3>What the server sends</h3>',
      ...told.map(({ name, message }) =>
        frame(document, id, message, 'server', replies.includes(name) && name !== 'error' ? '<p>A reply.</p>' : ''),
      ),
    ].join('\n'),
  );
}

function frame(document: AsyncApiDocument, channel: string, message: Message, from: string, more: string): string {
  const examples = (message.examples ?? []).map(
    ({ payload }) => `<pre><code>${escape(JSON.stringify(payload, null, 2))}</code></pre>`,
  );
  return `<details class="frame ${from}" id="${channel}.${message.name}"><summary>${code(message.name)} <span>${inline(message.summary)}</span></summary>
<div class="inside">${more}${fieldTable(fieldsOf(document, message.payload))}${examples.join('')}</div></details>`;
}

function fieldTable(fields: readonly Field[]): string {
  const rows = fields.map(({ path, schema, isRequired }) => {
    const required = isRequired ? ' <b class="required">required</b>' : '';
    const description = typeof schema['description'] === 'string' ? inline(schema['description']) : '';
    return `<tr><th scope="row">${code(path)}${required}</th><td>${typeOf(schema)}</td><td>${description}</td></tr>`;
  });
  return `<div class="wide"><table class="fields"><tbody>${rows.join('')}</tbody></table></div>`;
}

/** The fields of an object and, below each, those of what it holds. */
function fieldsOf(document: AsyncApiDocument, object: JsonSchema, prefix = ''): Field[] {
  const properties = (object['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  const required = (object['required'] ?? []) as readonly string[];
  return Object.entries(properties).flatMap(([name, given]) => {
    const schema = resolved(document, given);
    const path = prefix + name;
    const items = schema['items'] as JsonSchema | undefined;
    const inner =
      items === undefined
        ? fieldsOf(document, schema, `${path}.`)
        : fieldsOf(document, resolved(document, items), `${path}[].`);
    return [{ path, schema, isRequired: required.includes(name) }, ...inner];
  });
}

function credentials(document: AsyncApiDocument): Field[] {
  const { securitySchemes } = document.components;
  return Object.values(securitySchemes as Readonly<Record<string, JsonSchema>>).map((scheme) => {
    const name = typeof scheme['name'] === 'string' ? scheme['name'] : 'Authorization: Bearer';
    const schema = { description: scheme['description'], type: scheme['in'] === 'query' ? 'in the URL' : 'header' };
    return { path: scheme['in'] === 'query' ? `?${name}` : name, schema, isRequired: false };
  });
}

const BOUNDS = [
  ['minLength', 'maxLength', ' characters'],
  ['minItems', 'maxItems', ' items'],
  ['minimum', 'maximum', ''],
] as const;

/** What a value is, in words. */
function typeOf(schema: JsonSchema): string {
  const { const: only, enum: allowed, oneOf, type, items, format } = schema;
  if (only !== undefined) return code(JSON.stringify(only));
  if (Array.isArray(allowed)) return allowed.map((value) => code(JSON.stringify(value))).join(' ');
  if (Array.isArray(oneOf)) return oneOf.map((each) => typeOf(each as JsonSchema)).join(' or ');
  const name = ([type ?? 'object'].flat() as string[]).join(' or ');
  const kind = items === undefined ? name : `list of ${typeOf(items as JsonSchema)}`;
  const bounds = BOUNDS.flatMap(([least, most, unit]) => {
    const [from, to] = [schema[least], schema[most]] as [number | undefined, number | undefined];
    // The largest whole number that JSON is sure of says nothing.
    const upto = to === Number.MAX_SAFE_INTEGER ? undefined : to;
    if (from === undefined && upto === undefined) return [];
    if (upto === undefined) return [`, ${from ?? 0}${unit} or more`];
    return [`, ${from === undefined ? 'at most ' : `${from}–`}${upto.toLocaleString('en')}${unit}`];
  });
  return escape(`${kind}${typeof format === 'string' ? ` (${format})` : ''}${bounds.join('')}`);
}

/** What a reference leads to, with what stands beside it; references of references too. */
function resolved(document: AsyncApiDocument, node: object): JsonSchema {
  const { allOf, ...schema } = node as JsonSchema;
  const { $ref, ...beside } = schema;
  const referred = [...(Array.isArray(allOf) ? (allOf as object[]) : [])];
  if (typeof $ref === 'string') referred.push(at(document, $ref));
  return referred.reduce<JsonSchema>((whole, part) => ({ ...resolved(document, part), ...whole }), beside);
}

function at(document: AsyncApiDocument, ref: string): object {
  const path = ref.replace(/^#\//, '').split('/');
  return path.reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], document) as object;
}

function nameIn(ref: { readonly $ref: string } | undefined): string {
  return ref?.$ref.split('/').at(-1) ?? '';
}

function idOf(title: string): string {
  return title
    .replace(/^\//, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase();
}

function splitAt(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return [text.slice(0, index), text.slice(index + separator.length)];
}

/** As much of Markdown as the documents' texts use: paragraphs, tables, `code`, **bold** and links. */
export function markdown(text: string): string {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((block) => (block.startsWith('|') ? table(block.split('\n')) : `<p>${inline(block)}</p>`))
    .join('\n');
}

/** The text of one block. What is code is taken out first: nothing in it is Markdown. */
export function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) => (/^`[^`]+`$/.test(part) ? code(part.slice(1, -1)) : emphasised(escape(part))))
    .join('');
}

function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}

/** Text as HTML. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function emphasised(html: string): string {
  return html
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
    .replace(/\[([^\]]+)\]\(((?:https?:\/\/|\/(?!\/)|#)[^\s)]*)\)/g, '<a href="$2">$1</a>');
}

function table([head = '', , ...rows]: readonly string[]): string {
  const cells = (row: string): string[] => row.replace(/^\| | \|$/g, '').split(' | ');
  const line = (row: string, tag: 'td' | 'th'): string =>
    `<tr>${cells(row)
      .map((cell) => `<${tag}>${inline(cell)}</${tag}>`)
      .join('')}</tr>`;
  const body = rows.map((row) => line(row, 'td')).join('');
  return `<div class="wide"><table><thead>${line(head, 'th')}</thead><tbody>${body}</tbody></table></div>`;
}

/** Serves the sockets' document at /asyncapi.json and a page of it at /docs/ws. */
export function installSocketDocs(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  let built: AsyncApiDocument | undefined;
  let page: string | undefined;
  const document = (): AsyncApiDocument => (built ??= buildSocketDocument(app));
  fastify.get('/asyncapi.json', () => document());
  fastify.get('/docs/ws', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send((page ??= socketPage(document()))),
  );
}
