/** The first page is whole without this: it adds what the running server says of itself, and the address in the command. */
interface About {
  readonly version: string;
}

interface Health {
  readonly status: 'ok' | 'degraded' | 'error';
}

const STATES = {
  ok: ['good', 'works'],
  degraded: ['warn', 'works, with something missing'],
  error: ['bad', 'cannot write: see Health'],
} as const;
const EVERY_MS = 10_000;

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

function showState(tone: string, words: string): void {
  element('dot').dataset['tone'] = tone;
  element('health').textContent = words;
}

async function showHealth(): Promise<void> {
  try {
    const { status } = (await (await fetch('/health')).json()) as Health;
    const [tone, words] = STATES[status];
    showState(tone, words);
  } catch {
    showState('bad', 'does not answer');
  }
}

async function showVersion(): Promise<void> {
  const answer = await fetch('/', { headers: { Accept: 'application/json' } });
  const { version } = (await answer.json()) as About;
  element('version').textContent = `Version ${version}`;
}

function showCommand(): void {
  const command = [
    `curl -X POST ${location.origin}/api/chat -H "X-API-Key: $KEY" -H 'Content-Type: application/json'`,
    `-d '{"message":"Hello","userId":"alice"}'`,
  ].join(' ');
  element('curl').textContent = command;
  const copy = element('copy');
  copy.addEventListener('click', () => {
    navigator.clipboard.writeText(command).then(
      () => (copy.textContent = 'Copied'),
      () => (copy.textContent = 'Select it'),
    );
  });
}

showCommand();
showVersion().catch(() => undefined);
void showHealth();
setInterval(() => void showHealth(), EVERY_MS);
