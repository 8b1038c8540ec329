/** Slack's markup, read as the text that people saw. */

/** What mentions are called, by the ids that stand in texts. */
export interface MentionNames {
  user(id: string): string | undefined;
  channel(id: string): string | undefined;
}

export interface PlainText {
  readonly text: string;
  /** Ids of the users that it mentions, each once, in order. */
  readonly mentions: readonly string[];
}

const MARK = /<([^<>\n]+)>/g;
const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };

/**
 * `<@U1>` is @alice, `<#C1|general>` is #general, `<!here>` is @here, a link is `its text (its URL)` or the URL alone. Bold,
 * lists and code stay as they were typed.
 */
export function plainText(markup: string, names: MentionNames): PlainText {
  const mentions: string[] = [];
  const text = markup
    .replace(MARK, (mark: string, inside: string) => {
      const bar = inside.indexOf('|');
      const target = bar < 0 ? inside : inside.slice(0, bar);
      const label = bar < 0 ? undefined : inside.slice(bar + 1);
      if (/^@[A-Z0-9]+$/.test(target)) {
        const id = target.slice(1);
        if (!mentions.includes(id)) mentions.push(id);
        return `@${names.user(id) ?? label?.replace(/^@/, '') ?? id}`;
      }
      return meaningOf(target, label, names) ?? mark;
    })
    .replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity);
  return { text, mentions };
}

function meaningOf(target: string, label: string | undefined, names: MentionNames): string | undefined {
  if (target.startsWith('#')) return `#${names.channel(target.slice(1)) ?? (label || target.slice(1))}`;
  if (target.startsWith('!')) return commandText(target.slice(1), label);
  if (/^mailto:|^tel:/.test(target)) return label ?? target.replace(/^[a-z]+:/, '');
  if (!/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  return label === undefined || label === target ? target : `${label} (${target})`;
}

/** `!here`, `!subteam^S1|@team`, `!date^1392734382^{date}|February 18th`. */
function commandText(command: string, label: string | undefined): string {
  if (/^(here|channel|everyone)$/.test(command)) return `@${command}`;
  const [kind = '', id = ''] = command.split('^');
  if (kind === 'subteam') return label === undefined ? `@${id}` : label.startsWith('@') ? label : `@${label}`;
  return label ?? `@${kind}`;
}
