/** A V8 CPU profile as a tree of frames with times, and the tree as a self-contained SVG (an "icicle": callers above). */

const [WIDTH, ROW, CHARACTER, LEFT_OUT] = [1200, 16, 6.2, 0.003];
const FRAMEWORK = /^(@nestjs\/|fastify$|@fastify\/|find-my-way|avvio|light-my-request|rxjs|reusify|fast-)/;
const DRIVER = /^(pg|postgres)/;

/** What a frame belongs to: a folder of ours, the framework, the driver, another package, node itself, V8. */
export function groupOf({ functionName, url, scriptId }) {
  if (functionName === '(garbage collector)') return 'garbage collector';
  if (functionName === '(program)') return 'outside of JavaScript';
  const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (name !== undefined) return FRAMEWORK.test(name) ? 'Nest, Fastify' : DRIVER.test(name) ? 'pg' : 'other packages';
  const folder = /\/dist\/((?:modules|platform)\/[\w-]+|\w+)/.exec(url)?.[1];
  if (folder !== undefined) return `ours: ${folder}`;
  if (url.startsWith('node:')) return 'node';
  return scriptId === '0' ? 'native functions (socket writes, hashes, JSON …)' : 'compiled schemas and serialisers';
}

/** The tree of the samples between two moments (µs of the monotonic clock); times in µs. Idle time is left out. */
export function frames(profile, from, to) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, { ...node, self: 0 }]));
  let at = profile.startTime;
  profile.samples.forEach((id, i) => {
    at += profile.timeDeltas[i];
    if (at >= from && at <= to) nodes.get(id).self += profile.timeDeltas[i + 1] ?? 0;
  });
  return merged('all', [nodes.get(profile.nodes[0].id)], nodes);
}

/** Nodes of one function under one caller become one frame. */
function merged(label, same, nodes) {
  const { functionName, url, lineNumber } = same[0].callFrame;
  const children = new Map();
  for (const child of same.flatMap((node) => node.children ?? []).map((id) => nodes.get(id))) {
    const key = nameOf(child.callFrame);
    children.set(key, [...(children.get(key) ?? []), child]);
  }
  const frame = {
    label,
    where: url === '' ? '' : `${url.replace(/^.*?\/(?=dist\/|node_modules\/)/, '')}:${lineNumber + 1}`,
    group: groupOf(same[0].callFrame),
    self: functionName === '(idle)' ? 0 : same.reduce((sum, node) => sum + node.self, 0),
    children: [...children].map(([key, list]) => merged(key, list, nodes)),
  };
  frame.children.sort((a, b) => b.total - a.total);
  frame.total = frame.self + frame.children.reduce((sum, child) => sum + child.total, 0);
  return frame;
}

const nameOf = ({ functionName, url }) => `${functionName || '(anonymous)'} ${url.split('/').pop()}`.trimEnd();

/** Self time per group in µs. */
export function selfTimes(frame, sums = {}) {
  sums[frame.group] = (sums[frame.group] ?? 0) + frame.self;
  for (const child of frame.children) selfTimes(child, sums);
  return sums;
}

/** @param data numbers by name that belong to the picture and are kept in it; names without < and & */
export function svg(root, title, data) {
  const shapes = [];
  let rows = 0;
  const draw = (frame, x, row) => {
    const width = (frame.total / root.total) * WIDTH;
    if (frame.total < root.total * LEFT_OUT) return;
    rows = Math.max(rows, row + 1);
    shapes.push(shape(frame, { x, y: row * ROW + 24, width }, root.total));
    let left = x;
    for (const child of frame.children) {
      draw(child, left, row + 1);
      left += (child.total / root.total) * WIDTH;
    }
  };
  draw(root, 0, 0);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${rows * ROW + 32}" font-family="monospace" font-size="10">
<desc>${JSON.stringify(data)}</desc>
<rect width="100%" height="100%" fill="#fff"/><text x="4" y="15" font-size="12">${escaped(title)}</text>${legend()}
${shapes.join('\n')}
</svg>
`;
}

/** The data of a picture. */
export function dataOf(text) {
  return JSON.parse(/<desc>(.*)<\/desc>/.exec(text)[1]);
}

function shape({ label, where, group, total }, { x, y, width }, all) {
  const shown = label.slice(0, Math.max(0, Math.floor((width - 4) / CHARACTER)));
  const text = shown.length < 3 ? '' : `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escaped(shown)}</text>`;
  const about = `${label} ${where} (${group}), ${((total / all) * 100).toFixed(1)} %`;
  return `<g><title>${escaped(about)}</title><rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colour(group)}"/>${text}</g>`;
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** By the beginning of a group's name; the rest is native. */
const COLOURS = {
  'ours: modules': '#ffb454',
  ours: '#ffd999',
  'Nest, Fastify': '#8ec5ff',
  pg: '#9ad9a0',
  garbage: '#ff9d94',
  node: '#d5d5d5',
  'other packages': '#c9c3f2',
  native: '#f0dff5',
};

function colour(group) {
  return COLOURS[Object.keys(COLOURS).find((name) => group.startsWith(name)) ?? 'native'];
}

function legend() {
  return Object.entries(COLOURS)
    .map(
      ([name, fill], i) =>
        `<rect x="${480 + i * 90}" y="4" width="86" height="14" fill="${fill}"/><text x="${483 + i * 90}" y="14">${name}</text>`,
    )
    .join('');
}
