// The ranked list beside the answer: what the shown sentence cites, or what the whole answer uses most.

const MOST_ROWS = 12;

function rankingView(host, { onUnit }) {
  const title = el("h3", "ot-title", host);
  const quote = isolated(host, "ot-quote");
  const list = el("ol", "ot-ranks", host);
  const says = el("p", "ot-says", host);

  function make() {
    const item = el("li", "");
    const row = el("button", "ot-rank", item);
    row.number = el("span", "ot-rank-number", row);
    row.mark = icon("", "", row);
    row.label = isolated(row, "ot-rank-label");
    row.share = el("span", "ot-rank-share", row);
    row.bar = el("span", "ot-rank-bar", row);
    el("span", "", row.bar);
    row.addEventListener("click", () => onUnit(row.unit));
    item.row = row;
    return item;
  }

  // rows: [{unit, rank, share, text}]
  function draw({ heading, sentence, rows, remark, view, units }) {
    setText(title, heading);
    quote.hidden = !sentence;
    setText(quote, sentence);
    keyed(list, rows.slice(0, MOST_ROWS), (entry) => units[entry.unit]?.id ?? entry.unit, make, ({ row }, entry) => {
      const unit = units[entry.unit];
      row.unit = entry.unit;
      setLane(row, unit?.lane ?? null);
      setText(row.number, entry.rank ? String(entry.rank) : "");
      if (unit) setIcon(row.mark, LANES[unit.lane].icon);
      setText(row.label, unit?.label ?? "");
      setAttr(row, "title", unit?.label ?? null);
      setText(row.share, entry.text);
      setVar(row.bar, "--s", Math.min(1, entry.share).toFixed(3));
      setAttr(row, "aria-pressed", entry.unit === view.unit);
    });
    list.hidden = rows.length === 0;
    const hiddenRows = rows.length - MOST_ROWS;
    setText(says, [hiddenRows > 0 ? "and " + hiddenRows + " more." : "", remark].filter(Boolean).join(" "));
    says.hidden = !says.textContent;
  }
  return { draw };
}
