// What keys and buttons do on the desk; the state they act on is review.js's. Then the page starts.

const verdictNow = () => standing(records[at]);
const picked = () => verdictNow().intervals.find((one) => one.id === view.interval);
const flagged = (name) => () => change("flag", { name, on: !verdictNow()[name] });

function go() {
  const record = records[at];
  if (isPristine(record) && record.judge) change("accept");
  else if (!record.done) {
    if (!namesSource(record.verdict) && !FLAGS.some((name) => record.verdict[name])) {
      tellPerson("Nothing is chosen. Choose what supports the sentence, or press X if nothing does.");
      return;
    }
    change("commit");
  }
  if (isLead()) openDisputed(lead.disputed().findIndex((one) => one.place.item === item.id && one.place.sentence === at) + 1);
  else if (at + 1 < records.length) goTo(at + 1);
  else stepItem(1);
}

async function undo() {
  let place = trail.pop();
  try { place ??= isLead() ? { item: item.id, sentence: at } : (await api("last")).place; } catch (error) { refused(error); return; }
  if (!place) { tellPerson("There is nothing to undo."); return; }
  await openPlace(place);
  if (records[at].undoable > 0) change("undo"); else tellPerson("There is nothing to undo here.");
}

function play() {
  const one = picked(), card = one ? sources.card(one.part) : sources.active();
  if (!card) return;
  if (card.media.hidden) { tellPerson("This cannot be played here."); return; }
  if (card.player.on) { card.player.stop(); return; }
  const chosen = one ?? verdictNow().intervals.find((own) => own.part === card.index);
  sources.stop();
  if (!chosen) { card.player.free(); return; }
  pick(chosen);
  card.player.play(chosen.start, chosen.end);
}

// Starts or ends an interval where the play head stands.
function edge(name) {
  const one = picked(), card = one ? sources.card(one.part) : sources.active();
  if (!card) return;
  const head = card.media.currentTime, length = card.layer.length();
  const lane = one ? one.lane : card.layer.laneFor(card.layer.lanes[0]);
  // A new one is a second long until its other edge is set.
  const fresh = { id: freshId(), part: card.index, lane, start: name === "start" ? head : Math.max(0, head - 1), end: name === "start" ? head + 1 : head };
  const made = one ? { ...one, [name]: head } : fresh;
  if (one && made.start >= made.end) { tellPerson("The play head is " + (name === "start" ? "behind the end" : "before the start") + " of the interval."); return; }
  putInterval(fitted(made, length), one ?? null);
}

function nudge(by, event) {
  const one = picked(), card = one ? sources.card(one.part) : sources.active();
  if (!card) return;
  if (!one) { card.time.show(Math.max(0, Math.min(card.layer.length(), card.media.currentTime + by * (event?.shiftKey ? 1 : TENTH)))); return; }
  putInterval(fitted(moved(one, event?.shiftKey ? "end" : null, by * TENTH, card.layer.length()), card.layer.length()), one, "nudge");
}

function nextInterval() {
  const all = [...verdictNow().intervals].sort(inTime);
  if (all.length) pick(all[(all.findIndex((one) => one.id === view.interval) + 1) % all.length]);
}

// Picture → sound → both.
function turnLane() {
  const one = picked(), lanes = one && sources.card(one.part).layer.lanes;
  if (!one || lanes.length < 2) return;
  const turn = [...lanes, null];
  putInterval({ ...one, lane: turn[(turn.indexOf(one.lane ?? null) + 1) % turn.length] }, one);
}

const ACTS = {
  go, undo, play, nextInterval,
  next: () => goTo(at + 1),
  previous: () => goTo(at - 1),
  nextItem: () => stepItem(1),
  previousItem: () => stepItem(-1),
  nextOpen: openNextOpen,
  unsupported: flagged("unsupported"),
  unsure: flagged("unsure"),
  bad: flagged("bad"),
  note: () => answers.note(),
  start: () => edge("start"),
  end: () => edge("end"),
  earlier: (event) => nudge(-1, event),
  later: (event) => nudge(1, event),
  remove: () => { const one = picked(); if (one) removeInterval(one); },
  lane: turnLane,
  recording: () => { const card = sources.next(); if (card) paint(); },
  snap: () => { root.classList.toggle("snapping"); drawSnap(); },
  escape: () => { sources.stop(); pick(null); },
  help: () => help.showModal(),
};

function listens(event) {
  if (!item || !["desk", "adjudicate"].includes(root.dataset.phase) || help.open || !root.offsetParent) return false;
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]")) return false;
  const own = [" ", "Enter"].includes(event.key) && event.target.closest?.("button:not(.rv-grip), a, summary, audio, video, [role=checkbox]");
  return !own && !(event.target.closest?.("audio, video") && event.key.startsWith("Arrow"));
}

deskKeys({
  active: listens,
  act: (name, event) => ACTS[name](event),
  codes: () => item.codes,
  onCode: toggle,
  onPartial: (digits) => setText(find("rv-typed"), digits ? digits + "…" : ""),
});

listKeys(find("rv-keys"));
find("rv-retry").addEventListener("click", () => box.flush());
find("rv-message-close").addEventListener("click", () => tellPerson(""));
find("rv-out").addEventListener("click", async () => { await api("sign-out", { body: {} }).catch(() => {}); leave(); });
find("rv-back").addEventListener("click", backToLead);
find("rv-help-close").addEventListener("click", () => help.close());
for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", () => ACTS[button.dataset.do]());
addEventListener("beforeunload", (event) => { if (root.dataset.saved === "failed") event.preventDefault(); });

enter().catch((error) => (error.gone ? leave() : leave(error.message)));
