// Keeps a page true while one looks at it: listens to the stream named on <main data-live-stream>, and at
// every message fetches each [data-live] fragment again. A changed number is marked quietly.

const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 30_000;
const PATIENCE = 15_000; // for one fragment
const SILENCE = 45_000; // a stream that has sent a ping must not be silent for longer

class SessionEnded extends Error {}

const stream = document.querySelector("[data-live-stream]")?.dataset.liveStream;
const state = document.querySelector("[data-live-state]");
const latest = new WeakMap(); // fragment → the text it shows

let source = null;
let failures = 0;
let watchdog = 0;
let retry = 0;
let refreshing = false;
let again = false;

function show(name) {
  if (!state || state.dataset.liveState === name) return;
  state.dataset.liveState = name;
  state.querySelector("[data-live-words]").textContent = state.dataset[name];
}

function connect() {
  source = new EventSource(stream);
  source.onopen = () => {
    failures = 0;
    refresh(); // whatever happened while nobody listened
  };
  source.onmessage = refresh;
  source.addEventListener("ping", expectMore);
  source.onerror = () => {
    const refused = source.readyState === EventSource.CLOSED;
    lost();
    if (refused) checkSession();
  };
}

function lost() {
  stop();
  show("lost");
  const wait = Math.min(LONGEST_RETRY, FIRST_RETRY * 2 ** failures++);
  retry = setTimeout(connect, wait * (0.75 + Math.random() / 2));
}

function stop() {
  source?.close();
  clearTimeout(watchdog);
  clearTimeout(retry);
}

function ended() {
  stop();
  show("expired");
}

// A stream does not say why it was refused; a fragment does.
async function checkSession() {
  const fragment = document.querySelector("[data-live]");
  if (!fragment) return;
  await load(fragment).catch((error) => error instanceof SessionEnded && ended());
}

function expectMore() {
  clearTimeout(watchdog);
  watchdog = setTimeout(lost, SILENCE);
}

// One round at a time; messages that arrive meanwhile make one more round, not many.
async function refresh() {
  again = true;
  if (refreshing) return;
  refreshing = true;
  try {
    while (again) {
      again = false;
      await Promise.all([...document.querySelectorAll("[data-live]")].map(load));
    }
    show("on");
  } catch (error) {
    if (error instanceof SessionEnded) ended();
    else lost();
  } finally {
    refreshing = false;
  }
}

async function load(fragment) {
  const answer = await fetch(fragment.dataset.live, {
    cache: "no-store",
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) throw new SessionEnded();
  if (!answer.ok) throw new Error(`${fragment.dataset.live}: ${answer.status}`);
  const html = await answer.text();
  if (latest.get(fragment) !== html) replace(fragment, html);
  latest.set(fragment, html);
}

function replace(fragment, html) {
  const before = new Map([...fragment.querySelectorAll("[data-key]")].map((e) => [e.dataset.key, e.textContent]));
  const frames = [...fragment.querySelectorAll(".table-frame[id]")].map((e) => [e.id, e.scrollLeft, e.scrollTop]);
  const folds = [...fragment.querySelectorAll("details[id]")].map((e) => [e.id, e.open]);
  const focused = fragment.contains(document.activeElement) ? document.activeElement.id : "";

  const template = document.createElement("template");
  template.innerHTML = html;
  fragment.replaceChildren(template.content);
  for (const [id, open] of folds) document.getElementById(id)?.toggleAttribute("open", open);

  fragment.dispatchEvent(new CustomEvent("live:replaced", { bubbles: true }));
  for (const [id, left, top] of frames) document.getElementById(id)?.scrollTo(left, top);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  for (const element of fragment.querySelectorAll("[data-key]")) {
    const old = before.get(element.dataset.key);
    if (old === undefined || old === element.textContent) continue;
    element.classList.add("changed");
    element.addEventListener("animationend", () => element.classList.remove("changed"), { once: true });
  }
}

if (stream) {
  connect();
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => event.persisted && connect());
}
