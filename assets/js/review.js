// The Review page: one answer at a time, its prompt beside its sentences. Every choice shows at once,
// goes to the server as one event, and counts as saved when the server has said so.
// Runs once per mounted component with gradio's `element`; the contract of what is fetched stands in
// omnitrace_ui/views/review.py.

const root = element.querySelector(".rv");
const find = (name) => root.querySelector("." + name);
const help = find("rv-help");

// me: who is signed in; item: what is shown; records: its sentences, one `readSentence` each.
let me = null, item = null, records = [], at = -1, progress = null, ahead = null, opening = 0, troubled = false;
const view = { interval: null };
// Where U goes back to: places in the order in which they were changed here.
const trail = [];

const sources = reviewSources(find("rv-sources-host"), {
  onUnit: (index) => toggle(item.units[index]),
  onDone: (made, was) => putInterval(made, was),
  onPick: pick,
  onRemove: removeInterval,
  onStretch: toggleStretch,
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

const AGAIN = "Please sign in again. What was not yet saved is kept in this browser, and sent then.";
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
  else if (me.queue.length) await openPlace(me.resume ?? { item: me.queue[0], sentence: 0 });
  else tellPerson("There is nothing in your queue. Ask the lead of the project.");
}

function leave(why = "") {
  answers.endNote();
  sources.stop();
  box.close();
  me = item = ahead = null;
  records = [];
  trail.length = 0;
  root.dataset.phase = "door";
  door.open(why);
}

function refused(error) {
  if (error.gone) leave(AGAIN);
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
  answers.endNote();
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
  answers.endNote();
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
  if (progress && before.done !== after.done) progress = { ...progress, done: progress.done + (after.done ? 1 : -1) };
  paint();
}

function toggle(unit) {
  change("unit", { id: unit.id, on: !standing(records[at]).units.has(unit.id) });
}

// All intervals of one stream go together: that is what the store keeps as one change.
function putInterval(made, was, merge = "") {
  const all = united(standing(records[at]).intervals.filter((one) => one.id !== was?.id), made);
  const other = was && (was.lane ?? null) !== (made.lane ?? null);
  if (other) change("replace", plainVerdict({ ...standing(records[at]), intervals: all, unsupported: false }));
  else sendIntervals(made.part, made.lane ?? null, all, merge);
  view.interval = nearestTo(made);
  paint();
}

function toggleStretch(made) {
  const same = (one) => JSON.stringify([one.part, one.lane ?? null, one.start, one.end]);
  const there = standing(records[at]).intervals.find((one) => same(one) === same(made));
  if (there) removeInterval(there); else putInterval(made, null);
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
  try {
    return (await api("events", { body: { events: events.map(({ id, item, sentence, version, kind, payload }) => ({ id, item, sentence, version, kind, payload })) } })).answers;
  } catch (error) {
    if (error.gone) leave(AGAIN);
    throw error;
  }
}

function takeAnswers(list) {
  let latest = null;
  for (const answer of list) {
    const place = placeOf(answer.item, answer.sentence);
    if (answer.problem) {
      box.forget(place);
      const undone = trail.filter((one) => placeOf(one.item, one.sentence) !== place);
      trail.splice(0, trail.length, ...undone);
      tellPerson(answer.problem);
    }
    latest = answer.progress ?? latest;
    if (answer.view && answer.item === item?.id && !box.holds(place)) {
      const before = records[answer.sentence];
      if (answer.problem || answer.view.version >= before.version) records[answer.sentence] = readSentence(answer.view, before);
    }
  }
  // The server does not know yet of what is still on its way.
  if (latest && box.isEmpty()) progress = latest;
  if (item) paint();
  // A verdict that was still on its way when the lead went back to the overview.
  if (root.dataset.phase === "lead") lead.refresh().catch(refused);
}

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
  const left = progress.seconds_each * (progress.total - progress.done);
  const pace = progress.seconds_each === null || progress.done === progress.total ? "" : " · " + minutes(progress.seconds_each) + " each · " + (left < 1 ? "" : "about ") + minutes(left) + " left";
  setText(find("rv-count"), progress.done + " of " + progress.total + " sentences" + pace);
}

function drawSaved({ state, waiting, problem }) {
  const node = find("rv-saved");
  root.dataset.saved = state;
  setText(find("rv-saved-text"), state === "saved" ? "Saved" : state === "saving" ? "Saving …" : "Not saved: " + plural(waiting, "change", "changes"));
  setAttr(node, "title", problem);
  find("rv-retry").hidden = state !== "failed";
  if (state === "failed") tellPerson(problem + " Nothing is lost: it is kept in this browser and sent again.");
  else if (troubled) tellPerson("");
  troubled = state === "failed";
}

function drawSnap() {
  const on = root.classList.contains("snapping");
  setText(find("rv-snap"), on ? "Snap: segments" : "Snap: 0.1 s");
}
