// The sources that each recorded signal gives the selected sentence, side by side.

function difference(both, added, missing) {
  if (!added && !missing) return "The same sources";
  return [both + " in common", added && added + " only here", missing && missing + " not here"].filter(Boolean).join(" · ");
}

function compareView(host, { onUnit }) {
  const hint = el("p", "ot-hint", host);
  const grid = el("div", "ot-compare", host);

  function make() {
    const card = el("section", "ot-signal");
    card.name = el("h4", "", card);
    card.says = el("p", "ot-rule", card);
    card.list = el("ol", "", card);
    return card;
  }

  function row() {
    const item = sourceRow(onUnit);
    item.row.differs = el("span", "ot-differs", item.row);
    return item;
  }

  function draw(span, units, view) {
    const compared = span?.compare;
    grid.hidden = !compared;
    setText(hint, !span ? "Select a sentence to compare its sources." : !compared ? "Only one signal was recorded. Record several under “Model and generation”." : "");
    hint.hidden = Boolean(compared);
    if (!compared) return;
    const [[, shown]] = compared;
    const first = new Set(shown.map(([unit]) => unit));
    keyed(grid, compared, ([name]) => name, make, (card, [name, cites], at) => {
      const own = new Set(cites.map(([unit]) => unit));
      const both = [...own].filter((unit) => first.has(unit)).length;
      setText(card.name, name);
      setText(card.says, at === 0 ? "Shown now" : difference(both, own.size - both, first.size - both));
      const lost = at === 0 ? [] : shown.filter(([unit]) => !own.has(unit)).map(([unit]) => [unit, 0]);
      keyed(card.list, [...cites, ...lost], ([unit]) => units[unit]?.id ?? unit, row, ({ row: button }, [unit, share], i) => {
        const gone = i >= cites.length;
        fillSource(button, unit, units, view, { number: gone ? "" : String(i + 1), share: gone ? "" : percent(share) });
        setAttr(button, "data-differs", at === 0 ? null : gone ? "missing" : first.has(unit) ? null : "added");
        setText(button.differs, at === 0 || first.has(unit) && !gone ? "" : gone ? "not here" : "only here");
      });
    });
  }
  return { draw };
}
