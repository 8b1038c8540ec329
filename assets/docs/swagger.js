/* Swagger UI: credentials live as long as the tab, operations are found by any of their words, schemes have names. */
const STORED = 'chatapi.authorized';
// Where releases before 0.2 left them, for ever.
localStorage.removeItem('authorized');
if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.classList.add('dark-mode');

/** Keeps what was authorised in the tab's session, and nowhere else. */
const keepInSession = () => {
  const keeping =
    (original, system) =>
    (...given) => {
      const result = original(...given);
      sessionStorage.setItem(STORED, JSON.stringify(system.authSelectors.authorized()));
      return result;
    };
  return { statePlugins: { auth: { wrapActions: { authorize: keeping, logout: keeping } } } };
};

/** Keeps the operations in which all words of the phrase are found. */
const searchOperations = () => ({
  fn: {
    opsFilter: (groups, phrase) => {
      const words = phrase.toLowerCase().split(/\s+/).filter(Boolean);
      const isWanted = (tag, operation) => {
        const about = operation.get('operation');
        const text = [tag, operation.get('method'), operation.get('path'), about.get('summary')]
          .concat(about.get('description'), about.get('operationId'))
          .join(' ')
          .toLowerCase();
        return words.every((word) => text.includes(word));
      };
      return groups
        .map((group, tag) => group.update('operations', (all) => all.filter((each) => isWanted(tag, each))))
        .filter((group) => group.get('operations').size > 0);
    },
  },
});

/** Puts the scheme's title above its form, where Swagger UI shows "(apiKey)". */
const nameSchemes = () => {
  const titled = (Original, system) => (props) => {
    const { createElement } = system.React;
    const title = createElement('h4', { className: 'scheme-title' }, props.schema.get('x-title') ?? props.name);
    return createElement('div', { className: 'scheme' }, title, createElement(Original, props));
  };
  return { wrapComponents: { apiKeyAuth: titled, HttpAuth: titled } };
};

const ui = globalThis.SwaggerUIBundle({
  url: '/docs-json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  filter: true,
  plugins: [keepInSession, searchOperations, nameSchemes],
  onComplete: () => {
    const stored = sessionStorage.getItem(STORED);
    if (stored !== null) ui.authActions.restoreAuthorization({ authorized: JSON.parse(stored) });
    const search = document.querySelector('.operation-filter-input');
    search?.setAttribute('placeholder', 'Search: a path, a word of what it does');
    search?.setAttribute('aria-label', 'Search operations');
  },
});

// Every form of the dialog takes the focus, the last one keeps it: the first one is what most people need.
document.addEventListener('click', (event) => {
  if (event.target.closest('.auth-wrapper > .authorize') === null) return;
  setTimeout(() => document.querySelector('.auth-container input')?.focus());
});
