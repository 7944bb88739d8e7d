// The Review page: one answer at a time, its prompt beside its sentences. Every choice shows at once,
// goes to the server as one event, and counts as saved when the server has said so.
// Runs once per mounted component with gradio's `element`; the contract of what is fetched stands in
// omnitrace_ui/views/review.py.

const root = element.querySelector(".rv");
const find = (name) => root.querySelector("." + name);
const help = find("rv-help");

// me: who is signed in; item: what is shown; records: its sentences, one `readSentence` each.
let me = null, item = null, records = [], at = -1, progress = null, ahead = null, opening = 0;
const view = { interval: null };
// Where U goes back to: places in the order in which they were changed here.
const trail = [];

const sources = reviewSources(find("rv-sources-host"), {
  onUnit: (index) => toggle(item.units[index]),
  onDone: (made, was) => setInterval_(made, was),
  onPick: pick,
  onRemove: removeInterval,
  snaps: () => root.classList.contains("snapping"),
});
const answers = reviewAnswer(find("rv-answer-host"), find("rv-panel"), {
  onSentence: (i) => goTo(i),
  onAct: (name) => ACTS[name](),
  onRemove: ({ unit, interval, key }) => (unit ? toggle(unit) : interval ? removeInterval(interval) : change("flag", { name: key, on: false })),
  onNote: (text) => { if (text !== standing(records[at]).note) change("note", { text }); },
  onTake: (verdict) => change("replace", plainVerdict(verdict)),
});
const lead = reviewLead(find("rv-lead"), { onOpen: openDisputed, onRefused: refused });
const door = reviewDoor(find("rv-door"), { onEnter: enter });
const box = outbox({ send: sendEvents, onState: drawSaved, onAnswers: takeAnswers });

const placeOf = (id, sentence) => id + "/" + sentence;
const isLead = () => me?.role === "lead";

// Signing in and out ---------------------------------------------------------------------------

async function enter() {
  me = await api("me");
  ({ progress } = me);
  await box.open(me.project + "/" + me.name);
  root.dataset.phase = isLead() ? "lead" : "desk";
  setText(find("rv-who"), me.name + " · " + me.title);
  if (isLead()) await lead.refresh();
  else await openPlace(me.resume ?? { item: me.queue[0], sentence: 0 });
}

function leave(why = "") {
  sources.stop();
  box.close();
  me = item = ahead = null;
  records = [];
  trail.length = 0;
  root.dataset.phase = "door";
  door.open(why);
}

function refused(error) {
  if (error.gone) leave("Please sign in again. What was not yet saved is kept in this browser, and sent then.");
  else tellPerson(error.message);
}

function tellPerson(text) {
  setText(find("rv-message-text"), text);
  find("rv-message").hidden = !text;
}

// Items ----------------------------------------------------------------------------------------

const fetchItem = (id) => api((isLead() ? "lead/items/" : "items/") + id);

async function openPlace({ item: id, sentence }) {
  const mine = ++opening;
  sources.stop();
  if (item?.id !== id) {
    try {
      const sent = ahead?.id === id ? await ahead.coming : await fetchItem(id);
      if (mine !== opening) return;
      show(sent);
    } catch (error) {
      refused(error);
      return;
    }
  }
  goTo(sentence);
  fetchAhead();
}

function show(sent) {
  for (const part of sent.parts) if (part.file) part.file = { url: API + part.file.url };
  item = { ...sent, pieces: sent.units.pieces, units: sent.units.list.map(([id, lane, part, label, start, end], index) => ({ index, id, lane, part, label, start, end })) };
  item.codes = unitCodes(item.units);
  records = sent.sentences.map((sentence) => readSentence(sentence));
  at = -1;
  sources.build(item);
  setText(find("rv-instruction"), item.instruction);
  root.classList.toggle("timed", item.parts.some((part) => part.kind === "audio" || part.kind === "video"));
  root.classList.toggle("film", item.parts.some((part) => part.kind === "video" && part.sound));
}

// The answer that comes next is asked for while this one is being read.
function fetchAhead() {
  const id = isLead() ? null : me.queue[me.queue.indexOf(item.id) + 1];
  if (!id || ahead?.id === id) return;
  const coming = fetchItem(id);
  coming.catch(() => { if (ahead?.id === id) ahead = null; });
  ahead = { id, coming };
}

function goTo(i) {
  if (i !== at) { view.interval = null; sources.stop(); }
  at = Math.max(0, Math.min(records.length - 1, i));
  tellPerson("");
  paint();
  answers.reveal();
  sources.reveal(standing(records[at]));
}

function stepItem(by) {
  if (isLead()) { openDisputed(lead.disputed().findIndex((one) => one.place.item === item.id && one.place.sentence === at) + by); return; }
  const id = me.queue[me.queue.indexOf(item.id) + by];
  if (id) openPlace({ item: id, sentence: 0 });
  else tellPerson(by > 0 ? finished() : "This is the first answer.");
}

function finished() {
  return progress.done === progress.total ? "That was the last answer, and all are done. Thank you!" : "This is the last answer. Some sentences before it are not done yet: press “Next open one”.";
}

function openDisputed(i) {
  const one = lead.disputed()[i];
  if (!one) { backToLead(); return; }
  root.dataset.phase = "adjudicate";
  openPlace(one.place);
}

function backToLead() {
  sources.stop();
  root.dataset.phase = "lead";
  item = null;
  lead.refresh().catch(refused);
}

async function openNextOpen() {
  try {
    ({ progress } = me = { ...me, ...(await api("me")) });
    if (me.resume) await openPlace(me.resume); else tellPerson(finished());
  } catch (error) { refused(error); }
}

// Changes --------------------------------------------------------------------------------------

// One change: shown now, sent, and put right by the server's answer.
function change(kind, payload = {}, { merge = "" } = {}) {
  const before = records[at];
  if (isPristine(before) && before.judge && !["accept", "commit", "undo", "replace"].includes(kind)) {
    // What is changed is the judge's verdict, so that is where the own one begins.
    payload = plainVerdict(APPLIED[kind](before.judge, payload));
    kind = "replace";
    merge = "";
  }
  const place = placeOf(item.id, at);
  const merged = box.add({ id: freshId(), at: performance.timeOrigin + performance.now(), place, merge: merge && merge + place, item: item.id, sentence: at, version: before.version, kind, payload });
  const after = changedRecord(before, kind, payload);
  records[at] = merged ? { ...after, version: before.version, undoable: before.undoable, past: before.past } : after;
  if (!merged && kind !== "undo") trail.push({ item: item.id, sentence: at });
  if (before.done !== after.done) progress = { ...progress, done: progress?.done + (after.done ? 1 : -1) };
  paint();
}

function toggle(unit) {
  change("unit", { id: unit.id, on: !standing(records[at]).units.has(unit.id) });
}

// All intervals of one stream go together: that is what the store keeps as one change.
function setInterval_(made, was, merge = "") {
  const all = united(standing(records[at]).intervals.filter((one) => one.id !== was?.id), made);
  const other = was && (was.lane ?? null) !== (made.lane ?? null);
  if (other) change("replace", plainVerdict({ ...standing(records[at]), intervals: all, unsupported: false }));
  else sendIntervals(made.part, made.lane ?? null, all, merge);
  view.interval = nearestTo(made);
  paint();
}

function nearestTo({ part, lane, start, end }) {
  return records[at].verdict.intervals.find((one) => one.part === part && (one.lane ?? null) === (lane ?? null) && one.start <= end && one.end >= start)?.id ?? null;
}

function sendIntervals(part, lane, all, merge = "") {
  const own = all.filter((one) => one.part === part && (one.lane ?? null) === lane);
  change("intervals", { part, lane, intervals: own.map(({ start, end }) => [start, end]) }, { merge: merge && [merge, part, lane].join() });
}

function removeInterval(interval) {
  view.interval = null;
  const { part, lane } = interval;
  sendIntervals(part, lane ?? null, standing(records[at]).intervals.filter((one) => one.id !== interval.id));
}

function pick(interval) {
  view.interval = interval?.id ?? null;
  if (interval) sources.choose(sources.card(interval.part));
  paint();
}

// The server's side ------------------------------------------------------------------------------

async function sendEvents(events) {
  const { answers } = await api("events", { body: { events: events.map(({ id, item, sentence, version, kind, payload }) => ({ id, item, sentence, version, kind, payload })) } });
  return answers;
}

function takeAnswers(list) {
  let latest = null;
  for (const answer of list) {
    const place = placeOf(answer.item, answer.sentence);
    if (answer.problem) {
      box.forget(place);
      tellPerson(answer.problem);
    }
    latest = answer.progress ?? latest;
    if (answer.view && answer.item === item?.id && !box.holds(place)) {
      const before = records[answer.sentence];
      if (answer.problem || answer.view.version >= before.version) records[answer.sentence] = readSentence(answer.view, before);
    }
  }
  if (latest) progress = latest;
  if (item) paint();
}

// Keys and buttons -------------------------------------------------------------------------------

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
  const lane = one ? one.lane : card.layer.lanes[0];
  const made = one ? { ...one, [name]: head } : name === "start" ? { id: freshId(), part: card.index, lane, start: head, end: head + 1 } : { id: freshId(), part: card.index, lane, start: Math.max(0, head - 1), end: head };
  if (one && made.start >= made.end) { tellPerson("The play head is " + (name === "start" ? "behind the end" : "before the start") + " of the interval."); return; }
  setInterval_(fitted(made, length), one ?? null);
}

function nudge(by, event) {
  const one = picked(), card = one ? sources.card(one.part) : sources.active();
  if (!card) return;
  if (!one) { card.time.show(Math.max(0, Math.min(card.layer.length(), card.media.currentTime + by * (event?.shiftKey ? 1 : TENTH)))); return; }
  setInterval_(fitted(moved(one, event?.shiftKey ? "end" : null, by * TENTH, card.layer.length()), card.layer.length()), one, "nudge");
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
  setInterval_({ ...one, lane: turn[(turn.indexOf(one.lane ?? null) + 1) % turn.length] }, one);
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
  const own = [" ", "Enter"].includes(event.key) && event.target.closest?.("button, a, summary, audio, video, [role=checkbox], [role=slider]");
  return !own && !(event.target.closest?.("audio, video") && event.key.startsWith("Arrow"));
}

deskKeys({
  active: listens,
  act: (name, event) => ACTS[name](event),
  codes: () => item.codes,
  onCode: toggle,
  onPartial: (digits) => setText(find("rv-typed"), digits ? digits + "…" : ""),
});

// Drawing ----------------------------------------------------------------------------------------

function paint() {
  if (!item || at < 0) return;
  const record = records[at];
  answers.draw(item, records, at);
  sources.paint(standing(record), record.judge, view);
  drawBar();
}

function drawBar() {
  setText(find("rv-item"), isLead() ? item.title : "Answer " + (item.number + 1) + " of " + me.queue.length);
  find("rv-progress").hidden = isLead();
  if (isLead() || !progress) return;
  const share = progress.total ? progress.done / progress.total : 0, bar = find("rv-progress");
  setVar(bar, "--s", share.toFixed(4));
  setAttr(bar, "aria-valuenow", progress.done);
  setAttr(bar, "aria-valuemax", progress.total);
  const pace = progress.seconds_each === null || progress.done === progress.total ? "" : " · " + minutes(progress.seconds_each) + " each · about " + minutes(progress.seconds_each * (progress.total - progress.done)) + " left";
  setText(find("rv-count"), progress.done + " of " + progress.total + " sentences" + pace);
}

function drawSaved({ state, waiting, problem }) {
  const node = find("rv-saved");
  root.dataset.saved = state;
  setText(find("rv-saved-text"), state === "saved" ? "Saved" : state === "saving" ? "Saving …" : "Not saved: " + plural(waiting, "change", "changes"));
  setAttr(node, "title", problem);
  find("rv-retry").hidden = state !== "failed";
  if (problem && state === "failed") tellPerson(problem + " Nothing is lost: it is kept in this browser and sent again.");
}

function drawSnap() {
  const on = root.classList.contains("snapping");
  setText(find("rv-snap"), on ? "Snap: segments" : "Snap: 0.1 s");
}

listKeys(find("rv-keys"));
find("rv-retry").addEventListener("click", () => box.flush());
find("rv-message-close").addEventListener("click", () => tellPerson(""));
find("rv-out").addEventListener("click", async () => { await api("sign-out", { body: {} }).catch(() => {}); leave(); });
find("rv-back").addEventListener("click", backToLead);
find("rv-help-close").addEventListener("click", () => help.close());
for (const button of root.querySelectorAll("[data-do]")) button.addEventListener("click", () => ACTS[button.dataset.do]());
addEventListener("beforeunload", (event) => { if (root.dataset.saved === "failed") event.preventDefault(); });

enter().catch((error) => (error.gone ? leave() : leave(error.message)));
