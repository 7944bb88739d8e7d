// The ranked list beside the answer: what the shown sentence cites, or what the whole answer uses most.

const MOST_ROWS = 12;

// A source as a row to click: its number, lane, label and share.
function sourceRow(onUnit) {
  const item = el("li", "");
  const row = el("button", "ot-rank", item);
  row.number = el("span", "ot-rank-number", row);
  row.mark = icon("", "", row);
  row.label = isolated(row, "ot-rank-label");
  row.share = el("span", "ot-rank-share", row);
  row.addEventListener("click", () => onUnit(row.unit));
  item.row = row;
  return item;
}

function fillSource(row, unit, units, view, { number, share }) {
  const source = units[unit];
  row.unit = unit;
  setLane(row, source?.lane ?? null);
  setText(row.number, number);
  if (source) setIcon(row.mark, LANES[source.lane].icon);
  setText(row.label, source?.label ?? "");
  setAttr(row, "title", source?.label ?? null);
  setText(row.share, share);
  setAttr(row, "aria-pressed", unit === view.unit);
}

function rankingView(host, { onUnit }) {
  const title = el("h3", "ot-title", host);
  const quote = isolated(host, "ot-quote");
  const list = el("ol", "ot-ranks", host);
  const says = el("p", "ot-says", host);

  function make() {
    const item = sourceRow(onUnit);
    item.row.bar = el("span", "ot-rank-bar", item.row);
    el("span", "", item.row.bar);
    return item;
  }

  // rows: [{unit, rank, share, text}]
  function draw({ heading, sentence, rows, remark, view, units }) {
    setText(title, heading);
    quote.hidden = !sentence;
    setText(quote, sentence);
    keyed(list, rows.slice(0, MOST_ROWS), (entry) => units[entry.unit]?.id ?? entry.unit, make, ({ row }, entry) => {
      fillSource(row, entry.unit, units, view, { number: entry.rank ? String(entry.rank) : "", share: entry.text });
      setVar(row.bar, "--s", Math.min(1, entry.share).toFixed(3));
    });
    list.hidden = rows.length === 0;
    const hiddenRows = rows.length - MOST_ROWS;
    setText(says, [hiddenRows > 0 ? "and " + hiddenRows + " more." : "", remark].filter(Boolean).join(" "));
    says.hidden = !says.textContent;
  }
  return { draw };
}
