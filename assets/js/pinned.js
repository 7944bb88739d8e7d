// The shown view (A) beside one that was pinned (B): other settings, another signal, another trace.

const MARKS = { both: "", near: "overlaps", only: "only here" };

function pinnedView(host, { onPin, onUnpin, onUnit }) {
  const tools = el("div", "ot-pin-tools", host);
  const pin = el("button", "ot-pin", tools), unpin = el("button", "ot-pin", tools);
  setText(unpin, "Let go of B");
  pin.addEventListener("click", () => onPin());
  unpin.addEventListener("click", () => onUnpin());
  const says = el("p", "ot-rule", host);
  setAttr(says, "role", "status");
  const pair = el("div", "ot-compare ot-pair", host);
  const cards = ["A", "B"].map((letter) => {
    const card = el("section", "ot-signal", pair);
    card.dataset.side = letter;
    el("h4", "", card).textContent = letter === "A" ? "A · shown now" : "B · pinned";
    card.name = isolated(el("p", "ot-rule", card), "");
    card.quote = isolated(card, "ot-quote");
    card.list = el("ol", "", card);
    card.none = el("p", "ot-hint", card);
    setAttr(card, "aria-label", "View " + letter);
    return card;
  });

  function row() {
    const item = el("li", ""), button = el("button", "ot-rank", item);
    button.number = el("span", "ot-rank-number", button);
    button.mark = icon("", "", button);
    button.label = isolated(button, "ot-rank-label");
    button.share = el("span", "ot-rank-share", button);
    button.differs = el("span", "ot-differs", button);
    button.addEventListener("click", () => { if (button.unit >= 0) onUnit(button.unit); });
    item.button = button;
    return item;
  }

  function fill(card, name, quote, rows, view, none) {
    setText(card.name, name);
    card.quote.hidden = !quote;
    setText(card.quote, quote ?? "");
    keyed(card.list, rows, (_, i) => i, row, ({ button }, [unit, lane, label, share, mark], i) => {
      button.unit = unit;
      button.disabled = unit < 0;
      setLane(button, lane);
      setAttr(button, "data-differs", mark === "both" ? null : mark === "near" ? "near" : "added");
      setText(button.number, String(i + 1));
      setIcon(button.mark, LANES[lane]?.icon ?? "");
      setText(button.label, label);
      setText(button.share, percent(share));
      setText(button.differs, MARKS[mark] ?? "");
      setAttr(button, "aria-pressed", unit >= 0 && unit === view.unit);
    });
    card.none.hidden = rows.length > 0;
    setText(card.none, none);
  }

  function draw(span, pinned, ready, view) {
    tools.hidden = !ready;
    setText(pin, pinned ? "Pin this view instead" : "Pin this view as B");
    unpin.hidden = !pinned;
    setText(says, !ready ? "" : !pinned ? "Then choose another signal or other settings, or open another trace of the same prompt: the two stand side by side." : pinned.problem || pinned.whole);
    pair.hidden = !pinned || Boolean(pinned.problem);
    if (pair.hidden) return;
    fill(cards[0], pinned.a, "", pinned.rows_a, view, span ? "No source." : "Select a sentence.");
    fill(cards[1], pinned.b, pinned.text, pinned.rows_b, view, !span ? "Select a sentence." : pinned.text === "" ? "B has no sentence like this one." : "No source.");
  }
  return { draw };
}
