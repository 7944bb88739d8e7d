// The prompt's parts to choose from: a number on every sentence and picture, intervals on time.

// Every code has the same number of digits, so that none is the beginning of another and each acts at once.
function unitCodes(units) {
  const chosen = units.filter((unit) => unit.start === null);
  const width = String(chosen.length).length;
  return new Map(chosen.map((unit, i) => [String(i + 1).padStart(width, "0"), unit]));
}

// hooks: onUnit(unit index), onDone(interval, previous), onPick(interval | null), onRemove(interval),
// onStretch(interval) for a line of a transcript, snaps() → whether to units.
function reviewSources(host, hooks) {
  const grid = el("div", "ot-parts", host);
  // A click is a choice, not a place for the keys: Enter must go on meaning "accept".
  grid.addEventListener("mousedown", (event) => { if (!event.target.closest("audio, video")) event.preventDefault(); });

  function build(item) {
    grid.item = item;
    const codes = new Map([...item.codes].map(([code, unit]) => [unit.index, code]));
    keyed(grid, item.parts, (_, i) => item.id + "/" + i, (part, i) => makeCard(part, i, item, codes), () => {});
    host.scrollTop = 0;
  }

  function makeCard(part, i, item, codes) {
    const card = partCard(part, { onUnit: hooks.onUnit, onBand() {} });
    card.index = i;
    card.units = item.units.filter((unit) => unit.part === i);
    if (card.prose) fillProse(card, item.pieces[i] ?? [], codes);
    if (card.picture) {
      card.unit = card.units[0]?.index;
      setAttr(card.picture, "data-code", codes.get(card.unit));
      setAttr(card.picture, "role", "checkbox");
      card.heat.hidden = true;
    }
    if (card.media) {
      card.player = looper(card.media, () => card.classList.toggle("playing", card.player.on));
      card.media.addEventListener("loadedmetadata", repaint);
      const whole = card.units.find((unit) => unit.start === null);
      if (whole) card.whole = wholeButton(card, whole, codes, "The whole recording");
      else card.layer = intervalLayer(card, i, { ...hooks, edgesOf: (lane) => (hooks.snaps() ? edgesOf(card, lane) : null) });
    }
    const replace = () => standIn(card, item.said[i] ?? [], codes);
    if (!card.prose && !part.file) replace();
    for (const node of card.querySelectorAll("img, audio, video")) node.addEventListener("error", replace);
    return card;
  }

  // In place of a file that is not there, or that this browser cannot show: its picture's number to
  // choose it by, what was said in it as lines that choose their time.
  function standIn(card, said, codes) {
    if (card.replaced) return;
    card.replaced = true;
    const body = card.querySelector(".ot-part-body");
    if (card.picture) card.picture.hidden = true;
    if (card.source.kind === "image" && card.units.length) card.whole = wholeButton(card, card.units[0], codes, "The picture");
    if (card.layer) {
      const lane = card.layer.lanes.at(-1), known = said.length > 0;
      el("p", "ot-missing", body).textContent = known ? "What was said in it, instead. A line chooses its time:" : "Nothing is known of what was said in it.";
      const choose = ({ start, end }) => hooks.onStretch(fitted({ id: freshId(), part: card.index, lane: card.layer.laneFor(lane), start, end }, card.layer.length()));
      card.words = transcriptView(body, card.media, lane, choose, "Choose");
      card.words.build(said);
    }
    repaint();
  }

  // Lines whose middle a chosen interval holds.
  function paintWords(card, intervals) {
    const chosen = card.words.rows().filter(({ start, end }) => intervals.some((one) => one.start <= (start + end) / 2 && (start + end) / 2 < one.end));
    card.words.paint(new Map(chosen.map((row) => [row.unit, { share: 1, rank: 0 }])), { unit: null }, false);
    for (const line of card.querySelectorAll(".ot-line")) setAttr(line, "aria-pressed", String(line.classList.contains("on")));
  }

  // Of a recording whose model says nothing of time there is only the whole to choose.
  function wholeButton(card, unit, codes, says) {
    const button = el("button", "ot-button rv-whole", card.querySelector(".ot-part-body"));
    setText(button, says);
    setAttr(button, "role", "checkbox");
    setAttr(button, "data-code", codes.get(unit.index));
    button.unit = unit.index;
    button.addEventListener("click", () => hooks.onUnit(unit.index));
    return button;
  }

  function edgesOf(card, lane) {
    const own = card.units.filter((unit) => unit.start !== null && (!lane || unit.lane === lane));
    return [...new Set(own.flatMap((unit) => [unit.start, unit.end]))].sort((a, b) => a - b);
  }

  function fillProse(card, pieces, codes) {
    card.marks = new Map();
    card.prose.replaceChildren(...pieces.map(([unit, text]) => {
      if (unit < 0) return document.createTextNode(text);
      const mark = el("mark", "");
      mark.unit = unit;
      mark.tabIndex = 0;
      setText(mark, text);
      setAttr(mark, "role", "checkbox");
      setAttr(mark, "data-code", codes.get(unit));
      card.marks.set(unit, mark);
      return mark;
    }));
  }

  let last = null;
  function repaint() { if (last) paint(...last); }

  // chosen, judged: Set of unit indices; judged is null where the judge is hidden or said nothing.
  function paint(verdict, judge, view) {
    last = [verdict, judge, view];
    for (const card of grid.children) {
      for (const unit of card.units) {
        const node = card.marks?.get(unit.index) ?? [card.whole, card.picture].find((one) => one && unit.start === null);
        if (!node) continue;
        const on = verdict.units.has(unit.id), judged = Boolean(judge?.units.has(unit.id));
        node.classList.toggle("on", on);
        node.classList.toggle("judged", judged);
        setAttr(node, "aria-checked", String(on));
        const says = judged ? "The judge chose it." : "";
        setAttr(node, "title", says);
        if (card.source.kind === "image") {
          setAttr(node, "aria-label", card.source.name + (judged ? ", chosen by the judge" : ""));
          card.classList.toggle("on", on);
          card.classList.toggle("judged", judged);
        }
      }
      if (card.layer) {
        const own = (list) => list.filter((one) => one.part === card.index);
        card.layer.paint(own(verdict.intervals), view.interval, judge ? own(judge.intervals) : []);
        if (card.words) paintWords(card, own(verdict.intervals));
        card.classList.toggle("active", card === active());
      }
    }
  }

  // The recording or film that the keys act on.
  let chosen = 0;
  const timed = () => [...grid.children].filter((card) => card.layer);
  const active = () => timed()[Math.min(chosen, timed().length - 1)];

  function choose(card) {
    const at = timed().indexOf(card);
    if (at >= 0) chosen = at;
  }

  function stop() { for (const card of grid.children) if (card.player?.on) card.player.stop(); }

  function reveal(verdict) {
    const card = [...grid.children].find((node) => node.units.some((unit) => verdict.units.has(unit.id)) || verdict.intervals.some((one) => one.part === node.index));
    if (card) scrollWithin(host.closest(".ot-scroll"), card);
  }

  return {
    build, paint, stop, reveal, active, choose,
    card: (part) => grid.children[part],
    next() { if (timed().length) { chosen = (timed().indexOf(active()) + 1) % timed().length; scrollWithin(host.closest(".ot-scroll"), active()); } return active(); },
  };
}
