// What was said when, below a recording: every segment and every gap is a row that plays itself.

// onRow(row) with row = {unit, start, end, speaker, text}; a unit of -1 is none, a text of null a gap.
// verb: what a click does to a row, for who hears the page.
function transcriptView(host, media, lane, onRow, verb = "Play") {
  const list = el("ol", "ot-said", host);
  setAttr(list, "aria-label", "Transcript");
  setLane(list, lane);
  let rows = [];

  function make() {
    const item = el("li", "");
    const line = el("button", "ot-line", item);
    line.time = el("span", "ot-line-time", line);
    line.words = el("span", "ot-line-words", line);
    line.speaker = isolated(line.words, "ot-line-speaker");
    line.text = isolated(line.words, "");
    setAttr(line.text, "dir", "auto");
    line.addEventListener("click", () => onRow(line.row));
    item.line = line;
    return item;
  }

  list.addEventListener("keydown", (event) => {
    const lines = [...list.querySelectorAll(".ot-line")], at = lines.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (at < 0 || !lines[to]) return;
    event.preventDefault();
    focusable(to);
    lines[to].focus();
  });

  function focusable(at) {
    for (const [i, { line }] of [...list.children].entries()) line.tabIndex = i === at ? 0 : -1;
  }

  function follow() {
    const time = media.currentTime;
    for (const { line } of list.children) {
      const now = !media.paused && line.row.start <= time && time < line.row.end;
      if (now && !line.classList.contains("now")) scrollWithin(list, line);
      line.classList.toggle("now", now);
    }
  }
  for (const name of ["timeupdate", "pause"]) media.addEventListener(name, follow);

  return {
    rows: () => rows,
    build(said) {
      rows = said.map(([unit, start, end, speaker, text]) => ({ unit, start, end, speaker, text }));
      list.hidden = !rows.length;
      keyed(list, rows, (_, i) => i, make, ({ line }, row) => {
        line.row = row;
        setText(line.time, clock(row.start));
        setText(line.speaker, row.speaker ? plainName(row.speaker) : "");
        setText(line.text, row.text || (row.text === null ? "gap" : "segment"));
        line.classList.toggle("wordless", !row.text);
        setAttr(line, "title", clock(row.start) + "–" + clock(row.end));
      });
      focusable(0);
    },
    paint(cited, view, overview) {
      for (const { line } of list.children) {
        const use = cited.get(line.row.unit);
        line.classList.toggle("on", Boolean(use) && !overview);
        line.classList.toggle("used", Boolean(use) && overview);
        line.classList.toggle("picked", line.row.unit >= 0 && line.row.unit === view.unit);
        setVar(line, "--s", use && !overview ? use.share.toFixed(3) : 0);
        setAttr(line.words, "data-rank", use?.rank || null);
        const says = use && use.rank ? ", source " + use.rank + ", " + percent(use.share) : "";
        setAttr(line, "aria-label", verb + " " + clock(line.row.start) + "–" + clock(line.row.end) + says + ": " + line.words.textContent);
      }
    },
    reveal(unit) {
      const item = [...list.children].find(({ line }) => line.row.unit === unit);
      if (item) scrollWithin(list, item);
    },
  };
}
