/* Searches in the page of the sockets, and opens the frame that the address names. */
const search = document.querySelector('#search');
const found = document.querySelector('#found');
const frames = [...document.querySelectorAll('.frame')];
/** What is shown or left out as a whole: a frame, a row of a table outside of frames, a paragraph. */
const parts = [...frames, ...document.querySelectorAll('section > p, section > .wide tr')].filter(
  (part) => part.closest('thead') === null,
);
const texts = new Map(parts.map((part) => [part, part.textContent.toLowerCase()]));
const containers = [...document.querySelectorAll('section, section > h3, section > .wide')];

/** Whether anything below a heading, up to the next one, is shown. */
const holdsSomething = (container) => {
  if (container.tagName !== 'H3') return parts.some((part) => container.contains(part) && !part.hidden);
  for (let next = container.nextElementSibling; next !== null && next.tagName !== 'H3'; next = next.nextElementSibling)
    if (parts.some((part) => next.contains(part) && !part.hidden)) return true;
  return false;
};

const show = () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const part of parts) part.hidden = !words.every((word) => texts.get(part).includes(word));
  for (const container of containers) container.hidden = words.length > 0 && !holdsSomething(container);
  const shown = frames.filter((frame) => !frame.hidden);
  // Few are meant to be read, many to be chosen from.
  for (const frame of frames) frame.open = words.length > 0 && shown.length <= 3 && !frame.hidden;
  const all = parts.filter((part) => !part.hidden).length;
  found.value =
    words.length === 0 ? '' : `${shown.length} of ${frames.length} frames, ${all - shown.length} other places`;
};

const openNamed = () => {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named === null) return;
  if (search.value !== '') {
    search.value = '';
    show();
  }
  if (named.tagName === 'DETAILS') named.open = true;
  named.scrollIntoView();
};

search.addEventListener('input', show);
search.form.addEventListener('submit', (event) => event.preventDefault());
addEventListener('hashchange', openNamed);
show();
openNamed();
