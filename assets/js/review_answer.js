// The answer's sentences; the current one opens to what can be said of it.

const STATES = { open: ["○", "not yet checked"], begun: ["◐", "begun, not finished"], done: ["●", "done"] };
const FLAG_WORDS = { unsure: "Unsure", unsupported: "Nothing supports it", bad: "Bad sentence" };

const stateOf = (record) => (record.done ? "done" : isPristine(record) ? "open" : "begun");

// What a verdict says, as short phrases with their lanes.
function phrases(verdict, item) {
  const units = item.units.filter((unit) => verdict.units.has(unit.id)).map((unit) => ({ key: unit.id, lane: unit.lane, text: unit.label, unit }));
  const intervals = [...verdict.intervals].sort(inTime).map((one) => ({
    key: one.id, lane: one.lane ?? (item.parts[one.part]?.kind === "audio" ? "audio" : "video_frames"), interval: one,
    text: [item.parts[one.part]?.name ?? "?", one.lane && one.lane !== "audio" ? (one.lane === "video_sound" ? "sound" : "picture") : "", clock(one.start) + "–" + clock(one.end)].filter(Boolean).join(" · "),
  }));
  const flags = FLAGS.filter((name) => verdict[name]).map((name) => ({ key: name, lane: null, text: FLAG_WORDS[name] }));
  return [...units, ...intervals, ...flags];
}

const inWords = (verdict, item) => (verdict ? phrases(verdict, item).map((one) => one.text).join(", ") || "nothing chosen" : "not hidden, but it said nothing");

// hooks: onSentence(i), onAct(name), onRemove({unit} | {interval}), onNote(text), onTake(verdict).
function reviewAnswer(host, panel, hooks) {
  const list = el("ol", "rv-rows", host);
  setAttr(list, "aria-label", "Sentences of the answer");
  const find = (name) => panel.querySelector("." + name);
  const chips = find("rv-chips"), judge = find("rv-judge"), note = find("rv-note"), opinions = find("rv-opinions");
  const acts = [...panel.querySelectorAll("[data-act]")];
  for (const button of acts) button.addEventListener("click", () => hooks.onAct(button.dataset.act));
  // As on the sources: a click leaves the keys where they are.
  host.addEventListener("mousedown", (event) => { if (event.target.closest("button")) event.preventDefault(); });
  note.addEventListener("change", () => hooks.onNote(note.value));
  note.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey)) { event.preventDefault(); note.blur(); }
  });
  // Whatever is clicked next, a note that was begun is kept, and the keys mean the desk again.
  const endNote = () => { if (document.activeElement === note) note.blur(); };
  document.addEventListener("mousedown", (event) => { if (event.target !== note) endNote(); });
  addEventListener("pagehide", endNote);
  let place = "";

  function makeRow() {
    const row = el("li", "rv-row");
    row.say = el("button", "rv-say", row);
    row.mark = el("span", "rv-state", row.say);
    row.text = isolated(row.say, "rv-text");
    setAttr(row.text, "dir", "auto");
    row.brief = el("span", "rv-brief", row.say);
    row.spoken = el("span", "ot-hidden", row.say);
    row.say.addEventListener("click", () => hooks.onSentence(row.index));
    return row;
  }

  function draw(item, records, at) {
    keyed(list, records, (record, i) => item.id + "/" + i, makeRow, (row, record, i) => {
      const [sign, words] = STATES[stateOf(record)];
      row.index = i;
      row.dataset.state = stateOf(record);
      setText(row.mark, sign);
      setAttr(row.mark, "aria-hidden", "true");
      setText(row.text, record.text);
      setText(row.spoken, ". " + words);
      setText(row.brief, i === at || isPristine(record) ? "" : phrases(record.verdict, item).map((one) => one.text).join(", "));
      row.classList.toggle("on", i === at);
      setAttr(row.say, "aria-current", i === at ? "true" : null);
      // Only on a change of sentence: moving a field would take the focus out of it.
      if (i === at && panel.parentNode !== row) row.append(panel);
    });
    panel.hidden = at < 0;
    if (at >= 0) drawPanel(item, records[at], at);
  }

  function drawPanel(item, record, at) {
    const verdict = standing(record), proposed = isPristine(record) && Boolean(record.judge);
    panel.classList.toggle("proposed", proposed);
    keyed(chips, phrases(verdict, item), (one) => one.key, makeChip, (chip, one) => {
      chip.source = one;
      setLane(chip, one.lane);
      setIcon(chip.sign, one.lane ? LANES[one.lane].icon : "M3 8h10");
      setText(chip.words, one.text);
      setAttr(chip, "aria-label", "Take away: " + one.text);
    });
    setText(find("rv-none"), chips.childElementCount ? "" : record.hidden || !record.judge ? "Choose what supports this sentence, or say that nothing does." : "Nothing is chosen.");
    setText(judge, judgeSays(record, verdict, item, proposed));
    if (document.activeElement !== note || place !== item.id + "/" + at) note.value = verdict.note;
    place = item.id + "/" + at;
    for (const button of acts) if (FLAGS.includes(button.dataset.act)) setAttr(button, "aria-pressed", String(verdict[button.dataset.act]));
    setText(find("rv-go-text"), proposed ? "Accept the judge" : record.done ? "Next" : "Done, next");
    drawOpinions(item, record);
  }

  function judgeSays(record, verdict, item, proposed) {
    if (record.hidden) return "The judge is hidden until you are done with this sentence.";
    if (!record.judge) return "The judge said nothing of this sentence.";
    if (proposed) return "This is what the judge (" + record.judge_name + ") chose. Change it, or accept it.";
    const same = sameVerdict({ ...verdict, note: "", unsure: false }, { ...record.judge, note: "", unsure: false });
    return same ? "The judge (" + record.judge_name + ") says the same." : "The judge (" + record.judge_name + "): " + inWords(record.judge, item) + ".";
  }

  function drawOpinions(item, record) {
    opinions.hidden = !record.opinions;
    keyed(opinions, record.opinions ?? [], (one) => one.name, (one) => {
      const row = el("li", "rv-opinion");
      row.take = el("button", "ot-button", row);
      row.who = isolated(row.take, "rv-who");
      row.says = isolated(row, "");
      row.take.addEventListener("click", () => hooks.onTake(row.verdict));
      return row;
    }, (row, one, i) => {
      row.verdict = readVerdict(one.verdict);
      setText(row.who, one.name);
      setAttr(row.take, "title", "Start from this verdict");
      setText(row.says, inWords(row.verdict, item) + (one.done ? "" : " (not finished)") + (one.verdict.note ? " — “" + one.verdict.note + "”" : ""));
    });
  }

  function makeChip() {
    const chip = el("button", "rv-chip");
    chip.sign = icon("", "", chip);
    chip.words = el("span", "", chip);
    setAttr(el("span", "rv-away", chip), "aria-hidden", "true");
    chip.lastChild.textContent = "×";
    chip.addEventListener("click", () => hooks.onRemove(chip.source));
    return chip;
  }

  return {
    draw,
    endNote,
    note() { note.focus(); note.select(); },
    reveal() { const row = panel.parentNode; if (row) scrollWithin(host.closest(".ot-scroll"), row); },
  };
}
