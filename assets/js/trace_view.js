// TraceView: answer, sources and why in one place, so that selecting is local and instantaneous.
// Runs once per mounted component, with gradio's `element`, `props`, `trigger` and `watch`.
// The value's contract stands in omnitrace_ui/views/__init__.py.

const KEPT = 4;
const SETTLE_MS = 80;
const root = element.querySelector(".ot");
const find = (name) => root.querySelector("." + name);

const kept = { parts: new Map(), units: new Map() };
let beside = {};
let answer = null, parts = [], units = [], pieces = {}, shownKey = null, asked = null, announcing = 0, reminders = 0;
// What is looked at: a selected sentence, one under the pointer, a source whose users are lit up.
const view = { span: null, hover: null, unit: null };

function keep(map, key, value) {
  map.delete(key);
  map.set(key, value);
  if (map.size > KEPT) map.delete(map.keys().next().value);
}

const answers = answerView(find("ot-answer-host"), { onSelect: selectSpan, onHover: hoverSpan, onEscape: back });
const ranks = rankingView(find("ot-ranking"), { onUnit: pickUnit });
const sources = sourcesView(find("ot-sources-host"), { onUnit: pickUnit, onBand: (band) => pickUnit(Number(band.unit), true) });
const why = whyView(find("ot-why-host"), { onUnit: pickUnit });
const pinned = pinnedView(find("ot-compare-host"), { onUnit: pickUnit, onPin: () => trigger("pin", {}), onUnpin: () => trigger("unpin", {}) });
const compare = compareView(find("ot-compare-host"), { onUnit: pickUnit });
const check = checkView(find("ot-check-host"), { onCheck: (asked) => trigger("check", asked), onStop: () => trigger("uncheck", {}) });
const heat = { on: find("ot-heat-on"), strength: find("ot-heat-strength") };
for (const control of Object.values(heat)) control.addEventListener("input", () => paint());
const statusText = find("ot-status-text"), lookup = find("ot-lookup"), lookupText = find("ot-lookup-text");
const lookupLabel = find("ot-lookup-label"), lookupUse = find("ot-lookup-use");

function selectSpan(id) {
  view.span = id;
  view.unit = null;
  view.hover = null;
  paint();
  const best = spanOf(id)?.cites[0];
  if (best) sources.reveal(best[0]);
  reminders = 0;
  announce();
}

// Python hears where a walk by keys ends, not every step: of events that overlap, gradio drops some
// ("once") or repeats the first one's data ("always_last").
function announce() {
  clearTimeout(announcing);
  announcing = setTimeout(() => trigger("select", { index: view.span ?? -1, value: spanOf(view.span)?.text ?? "" }), SETTLE_MS);
}

// Only the selected sentence brings all of its detail: if that of another came, ask again.
function remind(phase) {
  const span = spanOf(view.span);
  if (!span || (span.why && span.where) || span.live || phase !== "done" || reminders >= 3) return;
  reminders += 1;
  announce();
}

const preview = once(paint);
function hoverSpan(id) {
  if (view.hover === id) return;
  view.hover = id;
  preview();
}

function pickUnit(unit, stay = false) {
  view.unit = view.unit === unit && !stay ? null : unit;
  paint();
  if (view.unit !== null) sources.reveal(view.unit);
}

// Esc goes back one step: first the looked-up source, then the selected sentence.
function back() {
  if (view.unit !== null) { view.unit = null; paint(); }
  else if (view.span !== null) selectSpan(null);
}

function spanOf(id) {
  return id === null || !answer ? undefined : answer.spans.find((span) => span.id === id);
}

function usage() {
  const used = new Map();
  for (const span of answer?.spans ?? []) for (const [unit] of span.cites) used.set(unit, (used.get(unit) ?? 0) + 1);
  return used;
}

function paint() {
  const spans = answer?.spans ?? [];
  const shown = spanOf(view.hover) ?? spanOf(view.span);
  answers.draw(answer, units, view);
  const cited = new Map();
  let list;
  if (shown) {
    shown.cites.forEach(([unit, share], i) => cited.set(unit, { share, rank: i + 1 }));
    list = {
      heading: (shown.id === view.span ? "Sentence " : "Preview of sentence ") + (spans.indexOf(shown) + 1) + " · " + (shown.cites.length ? plural(shown.cites.length, "source", "sources") : "no source"),
      sentence: shown.text,
      rows: shown.cites.map(([unit, share], i) => ({ unit, share, rank: i + 1, text: percent(share) })),
      remark: remark(shown),
    };
  } else {
    const used = usage(), most = Math.max(1, ...used.values());
    for (const [unit, n] of used) cited.set(unit, { share: n / most, rank: 0 });
    list = {
      heading: spans.length ? "All sources of this answer" : "Sources",
      sentence: "",
      rows: [...used].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([unit, n]) => ({ unit, share: n / spans.length, rank: 0, text: plural(n, "sentence", "sentences") })),
      remark: !spans.length ? "" : used.size ? "Select a sentence to see its own." : "No sentence has a source with these settings.",
    };
  }
  ranks.draw({ ...list, view, units });
  const selected = spanOf(view.span);
  sources.paint(cited, view, !shown);
  sources.heat(shown === selected ? selected?.where ?? {} : {}, heat.on.checked ? heat.strength.value / 100 : 0);
  find("ot-heat-tools").hidden = !Object.values(selected?.where ?? {}).some((part) => part.image);
  why.draw(selected, answer, units, view);
  pinned.draw(selected, beside.pinned, Boolean(answer) && root.dataset.phase !== "busy" && !beside.offline, view);
  compare.draw(selected, units, view);
  check.draw(selected, beside, units, view);
  drawLookup(spans);
  drawPhone(shown ? list.heading : "");
}

function remark(span) {
  if (span.live) return "This sentence is still being written.";
  const own = span.meter.find(([name]) => name === "own")?.[1] ?? 0;
  if (span.own) return "Drawn mostly from the model's own earlier words (" + percent(own) + " of the signal).";
  return span.cites.length ? "" : "No part of the prompt stands out for this sentence. Lower the thresholds to see weaker candidates.";
}

function drawLookup(spans) {
  lookup.hidden = view.unit === null;
  const unit = units[view.unit];
  root.classList.toggle("looking", Boolean(unit));
  setText(lookupLabel, unit?.label ?? "");
  setAttr(lookupLabel, "title", unit?.label ?? null);
  if (!unit) { setText(lookupUse, ""); return; }
  const n = spans.filter((span) => span.cites.some(([cited]) => cited === view.unit)).length;
  setLane(lookup, unit.lane);
  setVar(root, "--looked", LANES[unit.lane].tint);
  setText(lookupUse, n ? " is used by " + n + " of " + plural(spans.length, "sentence", "sentences") : " is used by no sentence");
}

// Where there is room for one panel only, a bar leads to what a choice lit up in another.
function drawPhone(heading) {
  const look = view.unit !== null && root.dataset.tab !== "answer";
  const text = look ? lookupText.textContent : root.dataset.tab === "answer" && view.unit === null && view.span !== null ? heading : "";
  setText(find("ot-phone-text"), text);
  find("ot-phone").hidden = !text;
}

function drawStatus(status) {
  root.dataset.phase = status.phase;
  const failed = status.phase === "error";
  setText(statusText, failed ? "" : status.text);
  setText(find("ot-problem-text"), failed ? status.text : "");
  find("ot-problem").hidden = !failed;
  const bar = find("ot-progress");
  bar.hidden = status.phase !== "busy";
  // Before the first step is done nothing would move: a bar that stands still looks like a failure.
  const known = status.total > 0 && status.done > 0;
  bar.classList.toggle("endless", !known);
  setVar(bar, "--s", known ? Math.min(1, status.done / status.total).toFixed(3) : 0);
  setAttr(bar, "aria-valuenow", known ? Math.min(status.done, status.total) : null);
  setAttr(bar, "aria-valuemax", known ? status.total : null);
  setText(find("ot-count"), status.phase === "busy" && status.done ? status.done + (known ? " / " + status.total : "") : "");
  setText(find("ot-stopped"), answer && status.phase === "done" ? { length: "Stopped at the token limit.", cancelled: "Stopped by you." }[answer.stopped] ?? "" : "");
}

// Only the lanes that this prompt has: what their marks and lines mean.
function drawLegend() {
  const lanes = Object.keys(LANES).filter((lane) => units.some((unit) => unit.lane === lane));
  keyed(find("ot-legend"), lanes, (lane) => lane, (lane) => {
    const item = el("li", "");
    setLane(item, lane);
    icon(LANES[lane].icon, "", item);
    el("span", "ot-legend-name", item).textContent = LANES[lane].name;
    return item;
  }, () => {});
  find("ot-legend").hidden = lanes.length < 2 || !answer;
}

function take(value) {
  if (value.parts) keep(kept.parts, value.trace, value.parts);
  const cut = value.trace + "/" + value.key;
  if (value.units) keep(kept.units, cut, numbered(value.units, kept.parts.get(value.trace) ?? []));
  const held = { parts: kept.parts.get(value.trace), units: kept.units.get(cut) };
  const missing = value.trace && (!held.parts || !held.units);
  // Once for each cut: a server that cannot answer is not asked for ever.
  if (missing && asked !== cut) { asked = cut; trigger("resend", { trace: value.trace, key: value.key }); }
  return { parts: held.parts ?? [], units: held.units ?? { list: [], pieces: {}, said: {} }, cut };
}

function numbered({ list, pieces, said }, parts) {
  const seen = {}, numbers = parts.map((part) => (seen[part.kind] = (seen[part.kind] ?? 0) + 1));
  return { pieces, said, list: list.map(([id, lane, part, label, start, end], index) => ({ index, id, lane, part, label: label.replace(/ s$/, "\u00a0s"), start, end, number: String(numbers[part] ?? "") })) };
}

function render() {
  // A copy: props are reactive proxies, slow to read and changed under our feet.
  const value = JSON.parse(JSON.stringify(props.value || {}));
  const before = units[view.unit]?.id;
  let opened = false, arrived = false;
  const held = take(value);
  answer = value.answer ?? null;
  beside = value;
  if (!answer) view.span = view.hover = view.unit = null;
  ({ parts } = held);
  units = held.units.list;
  pieces = held.units.pieces;
  if (shownKey !== held.cut) {
    if (shownKey?.split("/")[0] !== value.trace) {
      view.hover = view.unit = null;
      view.span = value.selected ?? null;
      opened = view.span !== null;
      arrived = Boolean(value.trace) && value.status?.phase === "done";
    }
    // The same stretch of the prompt may have another number in another cut.
    else if (before) view.unit = units.find((unit) => unit.id === before)?.index ?? null;
    shownKey = parts.length ? held.cut : null;
  }
  sources.build(value.trace, parts, units, pieces, held.units.said);
  if (view.span !== null && !spanOf(view.span)) view.span = null;
  find("ot-empty").hidden = Boolean(answer?.spans.length || answer?.tail) ;
  find("ot-sources-empty").hidden = parts.length > 0;
  find("ot-given").hidden = !answer?.given;
  // A page of its own has it as its title.
  find("ot-asked").hidden = !answer?.asked || Boolean(value.offline);
  setText(find("ot-asked").firstChild, answer?.asked ?? "");
  drawStatus(value.status ?? { phase: "empty", text: "", done: 0, total: null });
  drawLegend();
  paint();
  const best = opened && shownKey ? spanOf(view.span)?.cites[0] : null;
  if (best) sources.reveal(best[0]);
  // On a phone a trace that was opened, not written here, is below everything else.
  if (arrived && root.classList.contains("narrow")) root.scrollIntoView({ block: "start" });
  remind(value.status?.phase);
  keepAddress(value.address);
}

// The address names what is shown, so that it can be sent to somebody; gradio's own parameters stay.
function keepAddress(address) {
  if (typeof address !== "string") return;
  const before = new URLSearchParams(location.search), after = new URLSearchParams(address);
  for (const [name, text] of before) if (name.startsWith("__")) after.set(name, text);
  const query = String(after);
  if (query !== String(before)) history.replaceState(history.state, "", location.pathname + (query && "?" + query) + location.hash);
}

// Wide: the answer beside one of two panels. Narrow: one of three panels at a time.
const NARROW = 680;
const tabs = [...root.querySelectorAll("[role=tab]")];

for (const tab of tabs) {
  tab.addEventListener("click", () => openTab(tab.dataset.tab));
  tab.addEventListener("keydown", (event) => {
    const shown = tabs.filter((other) => other.offsetParent), at = shown.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = shown[(to + shown.length) % shown.length];
    next.focus();
    openTab(next.dataset.tab);
  });
}

function openTab(name) {
  root.dataset.tab = name;
  paint();
  for (const tab of tabs) {
    setAttr(tab, "aria-selected", tab.dataset.tab === name);
    tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
  }
}

new ResizeObserver(() => {
  if (!root.clientWidth) return;
  const narrow = root.clientWidth < NARROW;
  if (root.classList.contains("narrow") === narrow && root.dataset.tab) return;
  root.classList.toggle("narrow", narrow);
  openTab(narrow ? "answer" : "sources");
}).observe(root);

// The other panel is read from its beginning.
find("ot-phone").addEventListener("click", () => {
  openTab(root.dataset.tab === "answer" ? "sources" : "answer");
  root.scrollIntoView({ block: "start" });
});
find("ot-lookup-close").addEventListener("click", () => { view.unit = null; paint(); });
root.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.target.closest(".ot-answer")) back(); });
render();
watch("value", render);
