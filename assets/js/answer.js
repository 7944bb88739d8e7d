// The answer: a list of sentences to choose from, by pointer or by keys.

// A sentence without its last word, and that word, with which the mark stays on one line; of a long
// one (or of a script without spaces) its last two characters.
function lastWord(text) {
  const [word] = text.match(/\S*\s*$/);
  const tail = word.length <= 24 ? word : Array.from(word).slice(-2).join("");
  return [text.slice(0, text.length - tail.length), tail];
}

// onSelect(id | null), onHover(id | null), onEscape()
function answerView(host, { onSelect, onHover, onEscape }) {
  const list = el("div", "ot-answer", host);
  setAttr(list, "role", "listbox");
  setAttr(list, "aria-label", "Sentences of the answer");
  const tail = isolated(host, "ot-tail");
  list.append(tail);

  function make() {
    const node = el("span", "ot-row");
    node.gap = el("span", "ot-gap", node);
    setAttr(node, "role", "presentation");
    setAttr(node.gap, "aria-hidden", "true");
    const option = el("span", "ot-s", node);
    node.option = option;
    setAttr(option, "role", "option");
    option.words = isolated(option, "ot-words");
    option.words.append("");
    option.head = option.words.firstChild;
    const end = el("span", "ot-end", option.words);
    end.append("");
    option.last = end.firstChild;
    const cite = el("span", "ot-cite", end);
    option.cite = cite;
    cite.mark = icon("", "", cite);
    cite.label = el("span", "", cite);
    cite.spoken = el("span", "ot-hidden", option);
    return node;
  }

  function verdict(span, units) {
    const [first] = span.cites;
    if (span.live) return { kind: "live", text: "", spoken: "" };
    if (!first) return span.own
      ? { kind: "own", text: "own words", spoken: "Drawn from the model's own words; no source." }
      : { kind: "none", text: "no source", spoken: "No source." };
    const unit = units[first[0]];
    const more = span.cites.length - 1;
    const number = unit ? unit.number : "";
    return {
      kind: "cited",
      text: number + (more ? " +" + more : "") + (span.own ? " · own words" : ""),
      spoken: "Source: " + (unit ? unit.label : "") + ", " + percent(first[1]) + (more ? ", and " + more + " more" : "") +
        (span.own ? ". Drawn mostly from the model's own words" : "") + ".",
    };
  }

  function draw(answer, units, view) {
    const spans = answer ? answer.spans : [];
    const active = spans.some((span) => span.id === view.span) ? view.span : spans[0]?.id;
    keyed(list.body ??= list.insertBefore(el("span", "ot-body"), tail), spans, (span) => span.id, make, (node, span) => {
      const { option } = node, { cite } = option;
      setText(node.gap, span.before);
      option.spanId = span.id;
      const [head, last] = lastWord(span.text);
      setText(option.head, head);
      setText(option.last, last);
      const says = verdict(span, units);
      option.dataset.kind = says.kind;
      setLane(option, span.cites.length ? span.lane : null);
      setVar(option, "--s", span.strength.toFixed(3));
      setAttr(option, "aria-selected", span.id === view.span);
      option.tabIndex = span.id === active ? 0 : -1;
      option.classList.toggle("hover", span.id === view.hover && span.id !== view.span);
      const uses = view.unit !== null && span.cites.some(([unit]) => unit === view.unit);
      option.classList.toggle("uses", uses);
      option.classList.toggle("dim", view.unit !== null && !uses);
      cite.hidden = !says.text;
      const lane = units[span.cites[0]?.[0]]?.lane;
      setLane(cite, lane ?? null);
      cite.mark.style.display = lane ? "" : "none";
      if (lane) setIcon(cite.mark, LANES[lane].icon);
      setText(cite.label, says.text);
      setText(cite.spoken, says.spoken);
      setAttr(cite, "title", says.spoken || null);
    });
    setText(tail, answer ? answer.tail : "");
  }

  const optionOf = (event) => event.target.closest?.(".ot-s");
  list.addEventListener("click", (event) => {
    const option = optionOf(event);
    // Someone who marks words to copy them does not mean to select the sentence.
    if (option && getSelection().isCollapsed) { option.focus(); onSelect(option.spanId); }
  });
  list.addEventListener("pointerover", (event) => { if (event.pointerType !== "touch") onHover(optionOf(event)?.spanId ?? null); });
  list.addEventListener("pointerleave", () => onHover(null));
  list.addEventListener("keydown", (event) => {
    const options = [...list.querySelectorAll(".ot-s")], at = options.indexOf(optionOf(event));
    if (event.key === "Escape") { onEscape(); return; }
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: options.length - 1, Enter: at, " ": at }[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const option = options[Math.max(0, Math.min(options.length - 1, to))];
    option.focus();
    onSelect(option.spanId);
  });
  return { draw };
}
