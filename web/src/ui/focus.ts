/** Where what had the focus is gone, it goes to the content of the page: Tab then goes on there, not at the top. */
export function keepFocus(): void {
  if (document.activeElement === document.body) document.querySelector('main')?.focus();
}
