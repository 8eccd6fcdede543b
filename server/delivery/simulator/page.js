// @ts-check
/**
 * The simulator's page: filters the phone by number, keeps the filter in the address, copies a tapped code.
 */
const phone = document.querySelector('simulator-phone');
const filter = document.querySelector('#filter');
const to = document.querySelector('#to');
const copied = document.querySelector('#copied');
const json = document.querySelector('#json');

/** @param {string} written */
function show(written) {
  const number = written.replace(/[^\d+]/g, '');
  const query = number === '' ? '' : `?${new URLSearchParams({ to: number })}`;
  if (number === '') phone?.removeAttribute('to');
  else phone?.setAttribute('to', number);
  json?.setAttribute('href', `/simulator/messages${query}`);
  json?.firstElementChild?.replaceChildren(`GET /simulator/messages${query}`);
  history.replaceState(null, '', `/simulator${query}`);
}

if (to instanceof HTMLInputElement) {
  to.value = new URLSearchParams(location.search).get('to') ?? '';
  show(to.value);
  to.addEventListener('change', () => show(to.value));
}
filter?.addEventListener('submit', (event) => event.preventDefault());

document.addEventListener('code-tapped', async (event) => {
  if (!(event instanceof CustomEvent) || !copied) return;
  const { code } = event.detail;
  try {
    await navigator.clipboard.writeText(code);
    copied.textContent = `${code} copied.`;
  } catch {
    // No clipboard without a secure context or leave: the code can still be read.
    copied.textContent = `The code is ${code}.`;
  }
});
