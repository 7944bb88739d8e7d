// The prompt's parts in their order and form; what the shown sentence cites is marked in them.

function partCard(part, { onUnit, onBand }) {
  const lane = KIND_LANE[part.kind];
  const card = el("section", "ot-part");
  card.dataset.kind = part.kind;
  setLane(card, lane);
  setAttr(card, "aria-label", part.name);
  const head = el("header", "ot-part-head", card);
  icon(LANES[lane].icon, "", head);
  el("b", "", head).textContent = part.name;
  if (part.filename) setAttr(isolated(head, "ot-file", plainName(part.filename)), "title", plainName(part.filename));
  card.says = el("span", "ot-part-says", head);
  // Not "part": elements have that by nature, and keep a list of tokens in it.
  card.source = part;
  const body = el("div", "ot-part-body", card);
  if (part.kind === "text") {
    card.prose = el("div", "ot-prose", body);
    setAttr(card.prose, "dir", "auto");
    card.prose.addEventListener("click", (event) => {
      const mark = event.target.closest("mark");
      if (mark && getSelection().isCollapsed) onUnit(mark.unit);
    });
    card.prose.addEventListener("keydown", (event) => {
      const mark = event.target.closest("mark");
      if (mark && (event.key === "Enter" || event.key === " ")) { event.preventDefault(); onUnit(mark.unit); }
    });
  } else if (part.kind === "image") {
    if (!part.file?.url) { fail(body, ABSENT); return noted(card); }
    const frame = el("button", "ot-picture", body);
    card.picture = frame;
    const image = el("img", "", frame);
    image.alt = part.name + (part.filename ? ": " + plainName(part.filename) : "");
    image.decoding = "async";
    if (part.width && part.height) { image.width = part.width; image.height = part.height; }
    image.addEventListener("error", () => fail(body, "This picture cannot be shown in this browser."));
    image.src = part.file.url;
    card.heat = el("canvas", "ot-heat", frame);
    frame.addEventListener("click", () => { if (card.unit !== undefined) onUnit(card.unit); });
  } else {
    card.media = el(part.kind, "ot-media", body);
    card.media.controls = true;
    card.media.preload = "metadata";
    setAttr(card.media, "aria-label", part.name);
    if (part.kind === "video") { card.media.playsInline = true; if (part.width && part.height) setVar(card.media, "aspect-ratio", part.width + " / " + part.height); }
    card.media.addEventListener("error", () => { card.media.hidden = true; fail(body, "This file cannot be played in this browser; its sources are shown all the same."); });
    const rows = part.kind === "audio"
      ? [{ lane: "audio", label: "Sources in " + part.name, wave: true }]
      : [{ lane: "video_frames", label: "Sources in the picture of " + part.name, short: "Picture" },
         ...(part.sound ? [{ lane: "video_sound", label: "Sources in the sound of " + part.name, short: "Sound", wave: part.peaks.length > 0 }] : [])];
    card.time = timeline(body, card.media, rows, onBand);
    card.time.setLength(part.duration);
    for (const row of rows) if (row.wave) card.time.setPeaks(row.lane, part.peaks);
    card.said = transcriptView(body, card.media, rows.at(-1).lane, (row) => {
      card.time.play(row.unit, row.start, row.end);
      if (row.unit >= 0) onBand({ unit: String(row.unit) });
    });
    card.media.addEventListener("loadedmetadata", () => { if (!part.duration && Number.isFinite(card.media.duration)) card.time.setLength(card.media.duration); });
    // What is known of a file that is not there is shown all the same: its length, its wave, its sources.
    if (part.file?.url) card.media.src = part.file.url;
    else { card.media.hidden = true; fail(body, ABSENT); }
  }
  return noted(card);
}

const ABSENT = "This file is not in the trace.";

function noted(card) {
  for (const note of card.source.notes ?? []) setText(isolated(el("p", "ot-note", card), ""), note);
  return card;
}

function fail(body, text) {
  if (!body.querySelector(".ot-missing")) el("p", "ot-missing", body).textContent = text;
}

function sourcesView(host, { onUnit, onBand }) {
  const grid = el("div", "ot-parts", host);

  // Structure: once a trace, and once a cut for what is written and said.
  function build(trace, parts, units, pieces, said) {
    keyed(grid, parts, (_, i) => trace + "/" + i, (part) => partCard(part, { onUnit, onBand }), (card, part, i) => {
      card.units = units.filter((unit) => unit.part === i);
      if (part.kind === "image") card.unit = card.units[0]?.index;
      if (card.prose && card.pieces !== pieces[i]) { card.pieces = pieces[i]; buildProse(card, pieces[i] ?? [], units); }
      if (card.said && card.lines !== said[i]) { card.lines = said[i]; card.said.build(said[i] ?? []); }
    });
  }

  function buildProse(card, pieces, units) {
    card.marks = new Map();
    card.prose.replaceChildren(...pieces.map(([unit, text]) => {
      if (unit < 0) return document.createTextNode(text);
      const mark = el("mark", "");
      mark.unit = unit;
      setText(mark, text);
      setAttr(mark, "title", units[unit]?.label ?? "");
      card.marks.set(unit, mark);
      return mark;
    }));
  }

  // cited: Map unit → {share, rank}; rank 0 in the overview, where share tells how often it is used.
  function paint(cited, view, overview) {
    for (const card of grid.children) {
      const own = card.units.filter((unit) => cited.has(unit.index));
      const best = own.reduce((top, unit) => Math.max(top, cited.get(unit.index).share), 0);
      const total = own.reduce((sum, unit) => sum + cited.get(unit.index).share, 0);
      card.classList.toggle("on", own.length > 0 && !overview);
      card.classList.toggle("off", own.length === 0 && !overview && cited.size > 0);
      card.classList.toggle("picked", card.units.some((unit) => unit.index === view.unit) && !card.marks && !card.time);
      setVar(card, "--s", (overview ? 0 : Math.min(1, best)).toFixed(3));
      setText(card.says, own.length && !overview ? percent(Math.min(1, total)) : "");
      if (card.marks) paintProse(card, cited, view, overview);
      else if (card.time) { paintTime(card, own, cited, view); card.said.paint(cited, view, overview); }
      else if (card.picture) {
        const use = cited.get(card.unit);
        setAttr(card.picture, "data-rank", use?.rank || null);
        setAttr(card.picture, "aria-pressed", card.unit === view.unit);
        setAttr(card.picture, "aria-label", card.source.name + (use && use.rank ? ", source " + use.rank + ", " + percent(use.share) : "") + ": show the sentences that use it");
      }
    }
  }

  function paintProse(card, cited, view, overview) {
    for (const [unit, mark] of card.marks) {
      const use = cited.get(unit);
      mark.classList.toggle("on", Boolean(use) && !overview);
      mark.classList.toggle("used", Boolean(use) && overview);
      mark.classList.toggle("picked", unit === view.unit);
      setVar(mark, "--s", use && !overview ? use.share.toFixed(3) : 0);
      setAttr(mark, "data-rank", use?.rank || null);
      setAttr(mark, "role", use ? "button" : null);
      setAttr(mark, "tabindex", use ? 0 : null);
      setAttr(mark, "aria-pressed", use ? unit === view.unit : null);
    }
  }

  function paintTime(card, own, cited, view) {
    const whole = card.source.duration ?? card.media.duration ?? 0;
    card.time.setBands(own.map((unit) => {
      const use = cited.get(unit.index), start = unit.start ?? 0, end = unit.end ?? whole;
      return { unit: String(unit.index), lane: unit.lane, start, end, share: use.share, rank: use.rank, on: unit.index === view.unit,
        label: LANES[unit.lane].name + " " + clock(start) + "–" + clock(end) + (use.rank ? ", source " + use.rank + ", " + percent(use.share) : "") };
    }));
  }

  // where: part → places of its signal. strength: how dark a picture becomes where there is none.
  function heat(where, strength) {
    for (const [i, card] of [...grid.children].entries()) {
      const places = where[i] ?? {};
      if (card.time) card.time.setIntensity(places);
      if (card.heat) drawHeat(card, strength ? places.image : null, strength);
    }
  }

  // Brings a unit into view inside the panel, never by scrolling the page under the pointer.
  function reveal(unit) {
    const card = [...grid.children].find((node) => node.units.some((own) => own.index === unit));
    if (!card) return;
    scrollWithin(card.closest(".ot-scroll"), card);
    const mark = card.marks?.get(unit);
    if (mark) scrollWithin(card.prose, mark);
    card.said?.reveal(unit);
  }
  return { build, paint, heat, reveal };
}

// A veil over the picture, thinner the more signal fell on a patch: works on any photograph, in grey too.
function drawHeat(card, image, strength) {
  card.heat.hidden = !image;
  if (!image) return;
  const [columns, rows, values] = image, cell = 16;
  // The picture's own shape, so that both are fitted alike.
  const ratio = (card.source.width || columns) / (card.source.height || rows);
  card.heat.width = Math.round(columns * cell * Math.max(1, ratio * rows / columns));
  card.heat.height = Math.round(card.heat.width / ratio);
  const pen = card.heat.getContext("2d"), width = card.heat.width / columns, height = card.heat.height / rows;
  for (const [i, value] of values.entries()) {
    pen.fillStyle = "rgb(8 12 24 / " + (strength * (1 - value / 100)).toFixed(3) + ")";
    const x = Math.round((i % columns) * width), y = Math.round(Math.floor(i / columns) * height);
    pen.fillRect(x, y, Math.round((i % columns + 1) * width) - x, Math.round((Math.floor(i / columns) + 1) * height) - y);
  }
}

function scrollWithin(scroller, node) {
  if (!scroller || scroller.scrollHeight <= scroller.clientHeight + 1) return;
  const outer = scroller.getBoundingClientRect(), inner = node.getBoundingClientRect();
  if (inner.top >= outer.top && inner.bottom <= outer.bottom) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  scroller.scrollBy({ top: inner.top - outer.top - Math.max(8, (outer.height - inner.height) / 3), behavior: calm ? "auto" : "smooth" });
}
