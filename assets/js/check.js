// Check: hide sources of the selected sentence and have the model score it again.

const WAYS = [
  ["attention", "Cut the answer's attention", "Quick. While the sentence is scored, the model cannot look at the source. What other words of the prompt took over from it stays."],
  ["prompt", "Cut all attention", "The rest of the prompt cannot look at the source either."],
  ["remove", "Take out of the prompt", "Text and pictures are removed; of sound and film that stays, the seconds are silent or grey."],
  ["blur", "Blur or silence", "Pictures and frames are blurred, sound is silenced, text is removed."],
];
const NATS = "Nats count how much less likely, by natural logarithm: 0.7 is half as likely, 2.3 a tenth.";
const MOST_CHECKED = 8;
const CHECKED_FIRST = 3;

function checkView(host, { onCheck, onStop }) {
  const hint = el("p", "ot-hint", host);
  const body = el("div", "ot-check", host);
  el("p", "ot-rule", body).textContent = "Did the sentence need these sources? The model scores it again without them, and without other parts of the prompt of the same size.";
  const choice = el("fieldset", "ot-check-choice", body);
  el("legend", "", choice).textContent = "Hide";
  const list = el("div", "ot-check-list", choice);
  const tools = el("div", "ot-check-tools", body);
  const label = el("label", "", tools);
  el("span", "", label).textContent = "How";
  const way = el("select", "ot-check-way", label);
  for (const [value, name] of WAYS) { const option = el("option", "", way); option.value = value; option.textContent = name; }
  const go = el("button", "ot-check-go", tools), stop = el("button", "ot-check-stop", tools);
  go.textContent = "Hide and score again";
  stop.textContent = "Stop";
  const says = el("p", "ot-rule ot-check-how", body);
  const state = el("div", "ot-check-state", body);
  setAttr(state, "role", "status");
  const stateText = isolated(state, "");
  const bar = el("div", "ot-progress", body);
  setAttr(bar, "role", "progressbar");
  setAttr(bar, "aria-label", "Readings of the sentence");
  const problem = el("p", "ot-check-problem", body);
  setAttr(problem, "role", "alert");
  const result = el("div", "ot-check-result", body);
  const whole = el("p", "ot-rule", result);
  const rows = el("div", "ot-check-rows", result);
  // What is ticked, of the sentence that was drawn last.
  let ticked = new Set(), of = null, shown = null, known = new Map();

  way.addEventListener("change", describe);
  go.addEventListener("click", () => onCheck({ span: shown.id, chosen: [...ticked].filter((id) => known.has(id)), way: way.value }));
  stop.addEventListener("click", () => onStop());

  function describe() {
    setText(says, WAYS.find(([value]) => value === way.value)[2]);
  }

  function tick() {
    const box = el("label", "ot-check-unit");
    box.input = el("input", "", box);
    box.input.type = "checkbox";
    box.mark = icon("", "", box);
    box.name = isolated(box, "");
    box.share = el("span", "ot-check-share", box);
    box.input.addEventListener("change", () => { if (box.input.checked) ticked.add(box.unit); else ticked.delete(box.unit); enable(); });
    return box;
  }

  let busy = false;
  function enable() {
    const n = [...ticked].filter((id) => known.has(id)).length;
    go.disabled = busy || n === 0 || n > MOST_CHECKED;
    go.title = n > MOST_CHECKED ? "At most " + MOST_CHECKED + " at once" : "";
  }

  function drawChoice(span, units, view, trace) {
    const cites = new Map(span.cites.map(([unit, share]) => [units[unit]?.id, share]));
    if (of !== trace + "/" + span.id) { of = trace + "/" + span.id; ticked = new Set([...cites.keys()].slice(0, CHECKED_FIRST)); }
    const offered = units.filter((unit) => cites.has(unit.id));
    offered.sort((a, b) => cites.get(b.id) - cites.get(a.id));
    // A source that was looked up may be checked too, cited or not; and what was ticked stays.
    for (const unit of units) if (!cites.has(unit.id) && (unit.index === view.unit || ticked.has(unit.id))) offered.push(unit);
    known = new Map(offered.map((unit) => [unit.id, unit]));
    keyed(list, offered, (unit) => unit.id, tick, (box, unit) => {
      box.unit = unit.id;
      setLane(box, unit.lane);
      setIcon(box.mark, LANES[unit.lane].icon);
      setText(box.name, unit.label);
      setText(box.share, cites.has(unit.id) ? percent(cites.get(unit.id)) : "not cited");
      box.input.checked = ticked.has(unit.id);
    });
    return cites;
  }

  function card() {
    const node = el("section", "ot-check-row");
    node.head = el("h4", "", node);
    node.share = el("p", "ot-check-shares", node);
    node.lines = ["ot-check-hidden", "ot-check-usual"].map((name) => {
      const line = el("div", "ot-check-line " + name, node);
      line.what = el("span", "ot-check-what", line);
      line.bar = el("span", "ot-check-bar", line);
      line.fill = el("span", "", line.bar);
      line.nats = el("span", "ot-check-nats", line);
      line.words = el("b", "", line);
      return line;
    });
    node.alone = el("p", "ot-check-shares", node);
    node.alone.textContent = "This prompt has no other source to hide instead.";
    node.others = el("details", "ot-details", node);
    el("summary", "", node.others).textContent = "What was hidden instead";
    node.drawn = el("ul", "", node.others);
    return node;
  }

  function fill(line, what, drop, words, most) {
    setText(line.what, what);
    setVar(line.bar, "--s", (Math.min(1, Math.max(0, drop) / most)).toFixed(3));
    setText(line.nats, nats(drop));
    setText(line.words, words);
  }

  // Of log-probability: what is lost has a minus.
  function nats(drop) {
    return (drop >= 0.005 ? "−" : drop <= -0.005 ? "+" : "") + Math.abs(drop).toFixed(2) + " nats";
  }

  function named(units) {
    return units.map(([, , name]) => name).join(" + ");
  }

  function drawRows(check, cites) {
    const most = Math.max(0.5, ...check.rows.flatMap((row) => [row.drop, row.usual?.drop ?? 0]));
    setText(whole, check.sentence + " " + NATS);
    keyed(rows, check.rows, (_, i) => check.span + "/" + i, card, (node, row) => {
      const shares = row.units.map(([id]) => cites.get(id) ?? 0);
      setLane(node, row.units.length === 1 ? row.units[0][1] : null);
      setText(node.head, row.units.length === 1 ? named(row.units) : "All " + row.units.length + " together");
      setText(node.share, "Attribution gave " + percent(Math.min(1, shares.reduce((a, b) => a + b, 0))));
      fill(node.lines[0], "Hidden", row.drop, row.words, most);
      node.lines[1].hidden = !row.usual;
      if (row.usual) fill(node.lines[1], "Another instead", row.usual.drop, row.usual.words, most);
      node.alone.hidden = Boolean(row.usual);
      node.others.hidden = !row.others.length;
      keyed(node.drawn, row.others, (_, i) => i, () => { const item = el("li", ""); item.name = isolated(item, ""); item.drop = el("span", "", item); return item; }, (item, [units, drop]) => {
        setText(item.name, named(units));
        setText(item.drop, " · " + nats(drop));
      });
      setAttr(node, "aria-label", node.head.textContent);
    });
  }

  function draw(span, { check, offline, trace }, units, view) {
    shown = span;
    const usable = span && !span.live && !offline;
    body.hidden = !usable;
    hint.hidden = Boolean(usable);
    setText(hint, offline ? "A check needs the model: open the trace in the app." : !span ? "Select a sentence to check its sources." : "The sentence is still being written.");
    if (!usable) return;
    const cites = drawChoice(span, units, view, trace);
    const own = check && check.span === span.id ? check : null;
    busy = check?.phase === "busy";
    setText(stateText, busy ? check.text + (check.total ? " · " + check.done + " of " + check.total : "") : "");
    bar.hidden = !busy;
    bar.classList.toggle("endless", !(check?.total && check.done));
    setVar(bar, "--s", busy && check.total ? (check.done / check.total).toFixed(3) : 0);
    setAttr(bar, "aria-valuemin", 0);
    setAttr(bar, "aria-valuenow", busy && check.total && check.done ? check.done : null);
    setAttr(bar, "aria-valuemax", busy ? check.total : null);
    stop.hidden = !busy;
    problem.hidden = own?.phase !== "error";
    setText(problem, own?.phase === "error" ? own.text : "");
    result.hidden = own?.phase !== "done";
    if (own?.phase === "done") drawRows(own, cites);
    enable();
    describe();
  }
  return { draw };
}
