// The live log, the refresh of pages, and the copying of commands. Without it every page works, and is
// loaded again by hand.
'use strict';

const main = document.getElementById('main');

/** Waits until the page is seen: a page in the background costs the server nothing. */
async function seen() {
  while (document.hidden) {
    await new Promise(resolve => document.addEventListener('visibilitychange', resolve, { once: true }));
  }
}

const pause = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));

/** Whether somebody is filling a form in, or has opened something: the page then stays as it is. */
function isInUse() {
  const active = document.activeElement;
  const isTyping = active && main.contains(active) && active.matches('input, textarea, select');
  const isSelecting = !document.getSelection().isCollapsed;
  return isTyping || isSelecting || main.querySelector('details[open]') !== null;
}

let made = Date.now();

/** Shows the age of the page. */
function age() {
  const shown = main.querySelector('[data-age]');
  const seconds = Math.round((Date.now() - made) / 1000);
  if (shown) shown.textContent = seconds < 2 ? '' : `(${seconds} s ago)`;
}

/** Makes the buttons work that copy a command. */
function arm() {
  for (const button of main.querySelectorAll('[data-copy]')) {
    button.hidden = false;
    button.onclick = async () => {
      const command = button.parentElement.querySelector('code');
      try {
        await navigator.clipboard.writeText(command.textContent);
        button.textContent = 'Copied';
      } catch {
        document.getSelection().selectAllChildren(command);
        button.textContent = 'Selected';
      }
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    };
  }
}

/** Loads the page again and puts its content in place of this one's. */
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
  if (answer.redirected && new URL(answer.url).pathname === '/console/login') {
    location.assign(answer.url);
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('main');
  if (!fresh || isInUse()) return;
  const at = window.scrollY;
  main.replaceChildren(...fresh.childNodes);
  main.dataset.refresh = fresh.dataset.refresh ?? '';
  window.scrollTo(0, at);
  made = Date.now();
  arm();
  follow();
}

/** Refreshes a page for as long as it asks for that. */
async function keepFresh() {
  while (Number(main.dataset.refresh) > 0) {
    await pause(Number(main.dataset.refresh));
    await seen();
    if (isInUse()) continue;
    try {
      await refresh();
    } catch {
      // The server is away: the age of the page says since when.
    }
  }
}

/** The most rows that a live log keeps. */
const MOST_ROWS = 200;

/** Puts what is committed on top of the log, as it comes. */
async function follow() {
  const rows = document.getElementById('rows');
  if (!rows || !rows.dataset.tail) return;
  const state = document.getElementById('live-state');
  const tell = (text, kind) => { state.textContent = text; state.className = `live-state ${kind}`; };
  let after = rows.dataset.after;
  while (rows.isConnected) {
    await seen();
    tell('Live: new changesets appear on top.', 'is-live');
    try {
      const path = rows.dataset.tail;
      const answer = await fetch(`${path}${path.includes('?') ? '&' : '?'}after=${after}`);
      if (answer.status === 401) {
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      after = answer.headers.get('ees-next');
      show(rows, await answer.text(), Number(answer.headers.get('ees-passed')));
      made = Date.now();
      await pause(1);
    } catch {
      tell('Not live: the server does not answer. It is asked again.', 'is-away');
      await pause(5);
    }
  }
}

function show(rows, text, passed) {
  if (!text) return;
  document.getElementById('nothing')?.remove();
  const fresh = new DOMParser().parseFromString(`<ol>${text}</ol>`, 'text/html').querySelectorAll('li');
  for (const row of fresh) row.classList.add('is-new');
  if (passed > 0) {
    const gap = document.createElement('li');
    gap.className = 'gap';
    gap.textContent = `${passed.toLocaleString('en')} changesets more came in between: load the page again to see them.`;
    rows.prepend(gap);
  }
  rows.prepend(...fresh);
  while (rows.children.length > MOST_ROWS) rows.lastElementChild.remove();
}

arm();
setInterval(age, 1000);
keepFresh();
follow();
