// What was done, on its way to the server. An event stays in the browser's storage, each under a key
// of its own, until the server has answered it: a crash, a lost line or a closed tab loses none, and
// two tabs never overwrite each other's. Sent twice it counts once: the server knows its id.

const BATCH = 40, SHELF = "omnitrace.review.";

function freshId() {
  // Pages on plain http have no crypto.randomUUID.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function readEvent(key) {
  try { return JSON.parse(localStorage.getItem(key)); }
  catch { return null; }
}

// send(events) → Promise of [{id, …}], one an event; it rejects with an Error, whose `gone` says that
// nobody is signed in any more. onState({state, waiting, problem}), onAnswers(answers).
function outbox({ send, onState, onAnswers }) {
  const waiting = new Map();
  let shelf = "", sending = null, failures = 0, timer = 0, problem = "";

  function keep(event) {
    try { localStorage.setItem(shelf + event.id, JSON.stringify(event)); }
    catch { problem = "This browser's storage is full or closed: keep this tab open until all is saved."; }
  }

  function drop(id) {
    waiting.delete(id);
    localStorage.removeItem(shelf + id);
  }

  function tell() {
    onState({ state: failures ? "failed" : waiting.size ? "saving" : "saved", waiting: waiting.size, problem });
  }

  // Whose events these are: another person at the same browser must not send them.
  function open(owner) {
    close();
    shelf = SHELF + owner + "/";
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(shelf));
    for (const event of keys.map(readEvent).filter(Boolean).sort((a, b) => a.at - b.at)) waiting.set(event.id, event);
    return flush();
  }

  function close() {
    clearTimeout(timer);
    waiting.clear();
    shelf = problem = "";
    failures = 0;
    tell();
  }

  // Whether it became one with the event before it: a key held down is not a hundred changes.
  function add(event) {
    const last = [...waiting.values()].at(-1);
    const merged = Boolean(event.merge) && last?.merge === event.merge && !sending?.has(last.id);
    const kept = merged ? { ...last, payload: event.payload } : event;
    waiting.set(kept.id, kept);
    keep(kept);
    tell();
    flush();
    return merged;
  }

  // What was meant for a sentence that is not as it was thought to be.
  function forget(place) {
    for (const [id, event] of waiting) if (event.place === place) drop(id);
  }

  async function flush() {
    clearTimeout(timer);
    if (sending || !waiting.size || !shelf) { tell(); return; }
    const from = shelf, batch = [...waiting.values()].slice(0, BATCH);
    sending = new Set(batch.map((event) => event.id));
    tell();
    try {
      const answers = await send(batch);
      if (from !== shelf) return;
      for (const { id } of answers) drop(id);
      failures = 0;
      problem = "";
      onAnswers(answers);
    } catch (error) {
      if (from !== shelf) return;
      failures += 1;
      problem = error.message;
      if (!error.gone) timer = setTimeout(flush, Math.min(15000, 500 * 2 ** failures));
    } finally {
      sending = null;
    }
    tell();
    if (!failures && waiting.size) await flush();
  }

  addEventListener("online", flush);
  return { open, close, add, flush, forget, isEmpty: () => waiting.size === 0, holds: (place) => [...waiting.values()].some((event) => event.place === place) };
}
