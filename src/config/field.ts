/** One setting of the environment: its name, how it is read, and what the reference page says about it. */
export interface EnvField<T> {
  readonly name: string;
  /** Text for docs/config.md and .env.example. */
  readonly doc: string;
  /** The default as a person would write it; undefined when there is none. */
  readonly shownDefault: string | undefined;
  /** What holds instead of the default where the server is one of several (REDIS_URL); undefined: the same. */
  readonly clusterDefault: string | undefined;
  /** True for credentials: never printed, never logged. */
  readonly secret: boolean;
  /** Turns the raw text, or its absence, into the value; throws FieldFault with what is wrong. */
  readonly read: (raw: string | undefined) => T;
}

/** What is wrong with one variable, in words that follow its name. */
export class FieldFault extends Error {}

interface Common {
  readonly doc: string;
  readonly secret?: boolean;
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** The default of one of several servers, where it is another one. */
  readonly inCluster?: number;
}

/** A whole number in a range. */
export function int(name: string, o: Common & Range & { default: number }): EnvField<number> {
  return field(name, o, String(o.default), (raw) => {
    if (raw === undefined) return o.default;
    const value = Number(raw);
    if (!/^-?\d+$/.test(raw) || !Number.isSafeInteger(value) || value < o.min || value > o.max)
      throw new FieldFault(`must be a whole number from ${o.min} to ${o.max}`);
    return value;
  });
}

/** The same without a fixed default; `shownDefault` says what holds when it is unset. */
export function optionalInt(name: string, o: Common & Range & { shownDefault: string }): EnvField<number | undefined> {
  const { read } = int(name, { ...o, default: o.min });
  return field(name, o, o.shownDefault, (raw) => (raw === undefined ? undefined : read(raw)));
}

/** `true`/`false`/`1`/`0`. */
export function flag(name: string, o: Common & { default: boolean }): EnvField<boolean> {
  return field(name, o, String(o.default), (raw) => {
    if (raw === undefined) return o.default;
    if (/^(true|1|yes|on)$/i.test(raw)) return true;
    if (/^(false|0|no|off)$/i.test(raw)) return false;
    throw new FieldFault('must be true or false');
  });
}

/** The same without a fixed default; `shownDefault` says what holds when it is unset. */
export function optionalFlag(name: string, o: Common & { shownDefault: string }): EnvField<boolean | undefined> {
  const { read } = flag(name, { ...o, default: false });
  return field(name, o, o.shownDefault, (raw) => (raw === undefined ? undefined : read(raw)));
}

/** One of a list of words. */
export function oneOf<T extends string>(name: string, values: readonly T[], o: Common & { default: T }): EnvField<T> {
  return field(name, o, o.default, (raw) => {
    if (raw === undefined) return o.default;
    const found = values.find((v) => v === raw);
    if (found === undefined) throw new FieldFault(`must be one of: ${values.join(', ')}`);
    return found;
  });
}

/** Free text with a default. */
export function text(name: string, o: Common & { default: string }): EnvField<string> {
  return field(name, o, o.default, (raw) => raw ?? o.default);
}

/** Free text that may be unset; `check` returns what is wrong with it. */
export function optionalText(
  name: string,
  o: Common & { check?: (raw: string) => string | undefined },
): EnvField<string | undefined> {
  return field(name, o, undefined, (raw) => {
    const fault = raw === undefined ? undefined : o.check?.(raw);
    if (fault !== undefined) throw new FieldFault(fault);
    return raw;
  });
}

/** Two or three numbers from 0 on: what a million tokens of input, of output, and of input from a cache cost. */
export function prices(
  name: string,
  o: Common,
): EnvField<{ readonly input: number; readonly output: number; readonly cached?: number } | undefined> {
  return field(name, o, undefined, (raw) => {
    if (raw === undefined) return undefined;
    if (!/^\d+(\.\d+)?(,\d+(\.\d+)?){1,2}$/.test(raw))
      throw new FieldFault('must be input,output or input,output,cached');
    const [input = 0, output = 0, cached] = raw.split(',').map(Number);
    return { input, output, ...(cached === undefined ? {} : { cached }) };
  });
}

/** A comma-separated list. */
export function list(
  name: string,
  o: Common & { default: readonly string[]; check?: (item: string) => string | undefined },
): EnvField<readonly string[]> {
  return field(name, o, o.default.join(','), (raw) => {
    if (raw === undefined) return o.default;
    const items = raw
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean);
    for (const item of items) {
      const fault = o.check?.(item);
      if (fault !== undefined) throw new FieldFault(o.secret === true ? fault : `${fault} (in "${item}")`);
    }
    return items;
  });
}

function field<T>(
  name: string,
  { doc, secret = false, inCluster }: Common & { readonly inCluster?: number },
  usual: string | undefined,
  read: (raw: string | undefined) => T,
): EnvField<T> {
  const clusterDefault = inCluster === undefined ? undefined : String(inCluster);
  const shownDefault = clusterDefault === undefined ? usual : `${usual}, but ${clusterDefault} with REDIS_URL`;
  return { name, doc, secret, shownDefault, clusterDefault, read };
}
