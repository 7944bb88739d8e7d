// Why these sources: rules 3 to 5 laid out, so that they can be followed by eye.

const METER = { instruction: "Instruction", own: "Own earlier words", structure: "Structure" };
const METER_HINTS = {
  instruction: "What you asked for: never a source",
  own: "The words that the model had already written: never a source",
  structure: "Role markers, line breaks, begin and end of media: never a source",
};
const POS_NAMES = {
  NOUN: "noun", PROPN: "name", NUM: "number", VERB: "verb", ADJ: "adjective", ADV: "adverb", AUX: "auxiliary verb", PRON: "pronoun",
  DET: "article or determiner", ADP: "preposition", CCONJ: "conjunction", SCONJ: "conjunction", PART: "particle", PUNCT: "punctuation",
};
const VERDICTS = { selected: "selected", weak: "too weak", covered: "not needed" };

function meterView(host) {
  const root = el("section", "ot-meter", host);
  el("h4", "", root).textContent = "Where the signal went";
  const bar = el("div", "ot-meter-bar", root);
  setAttr(bar, "aria-hidden", "true");
  const legend = el("ul", "ot-meter-legend", root);
  return {
    draw(meter) {
      const shown = meter.filter(([, share]) => share > 0);
      const named = (node, [name, share]) => {
        setLane(node, name);
        setAttr(node, "data-rest", METER[name] ? name : null);
        setVar(node, "--s", share.toFixed(4));
      };
      keyed(bar, shown, ([name]) => name, () => el("span", ""), named);
      keyed(legend, shown, ([name]) => name, () => {
        const item = el("li", "");
        item.swatch = el("i", "", item);
        item.text = el("span", "", item);
        return item;
      }, (item, entry) => {
        named(item, entry);
        setAttr(item, "title", METER_HINTS[entry[0]]);
        setText(item.text, (LANES[entry[0]]?.name ?? METER[entry[0]]) + " " + percent(entry[1]));
      });
    },
  };
}

function table(host, caption, heads) {
  const root = el("table", "ot-table", host);
  el("caption", "", root).textContent = caption;
  const row = el("tr", "", el("thead", "", root));
  for (const [name, hint] of heads) {
    const cell = el("th", "", row);
    setAttr(cell, "scope", "col");
    cell.textContent = name;
    if (hint) cell.title = hint;
  }
  return el("tbody", "", root);
}

function fillRow(row, cells) {
  while (row.children.length < cells.length) el("td", "", row);
  for (const [i, text] of cells.entries()) setText(row.children[i], text);
}

function whyView(host, { onUnit }) {
  const hint = el("p", "ot-hint", host);
  const body = el("div", "ot-why", host);
  const meter = meterView(body);

  const votes = el("section", "", body);
  el("h4", "", votes).textContent = "1 · Every word votes for the source it was traced to";
  const rule = el("p", "ot-rule", votes);
  const strip = el("div", "ot-strip", votes);
  const details = el("details", "ot-details", votes);
  el("summary", "", details).textContent = "All votes as a table";
  const scroll = el("div", "ot-table-scroll", details);
  const tokens = table(scroll, "Tokens of the sentence", [
    ["Token"], ["POS", "Part of speech of the word"], ["Weight", "Weight of that part of speech"],
    ["Traced to"], ["Confidence", "The signal on that source"], ["Vote", "Weight × confidence ^ γ"]]);

  const shares = el("section", "", body);
  el("h4", "", shares).textContent = "2 · Sources are taken by falling score";
  const rule5 = el("p", "ot-rule", shares);
  const tally = table(el("div", "ot-table-scroll", shares), "Units that were voted for", [
    ["Source"], ["p", "Share of the votes"], ["r", "Longest run of votes"], ["q", "α·p + (1 − α)·r"], ["Σp", "Shares selected so far"], ["", ""]]);

  function drawTokens(why, units) {
    const most = Math.max(...why.tokens.map((token) => token[5]), 0) || 1;
    keyed(strip, why.tokens, (_, i) => i, () => {
      const node = el("button", "ot-token");
      node.words = isolated(node, "");
      node.pos = el("small", "", node);
      node.addEventListener("click", () => { if (node.unit >= 0) onUnit(node.unit); });
      return node;
    }, (node, [text, pos, , unit, , vote]) => {
      node.unit = unit;
      setLane(node, units[unit]?.lane ?? null);
      setVar(node, "--s", Math.sqrt(vote / most).toFixed(3));
      setText(node.words, visible(text));
      setText(node.pos, pos);
      setAttr(node, "title", (POS_NAMES[pos] ?? "other word") + " · " + (units[unit]?.label ?? "no source") + " · vote " + number(vote));
    });
    keyed(tokens, why.tokens, (_, i) => i, () => el("tr", ""), (row, [text, pos, weight, unit, confidence, vote]) => {
      setLane(row, units[unit]?.lane ?? null);
      fillRow(row, [visible(text), pos, weight.toFixed(2).replace(/0$/, ""), units[unit]?.label ?? "—", number(confidence), number(vote)]);
    });
  }

  function drawTally(why, units, rules, view) {
    let sum = 0;
    keyed(tally, why.tally, ([unit]) => units[unit]?.id ?? unit, () => {
      const row = el("tr", "");
      const label = el("button", "ot-link", el("td", "", row));
      label.addEventListener("click", () => onUnit(row.unit));
      row.label = label;
      row.meters = [];
      for (let i = 0; i < 2; i++) {
        const cell = el("span", "ot-bar", el("td", "", row));
        cell.fill = el("span", "ot-bar-fill", cell);
        cell.text = el("span", "ot-bar-text", cell);
        row.meters.push(cell);
      }
      row.score = el("td", "", row);
      row.sum = el("td", "", row);
      row.verdict = el("td", "ot-verdict", row);
      return row;
    }, (row, [unit, share, run, score, verdict]) => {
      row.unit = unit;
      setLane(row, units[unit]?.lane ?? null);
      row.dataset.verdict = verdict;
      setText(row.label, units[unit]?.label ?? "");
      setAttr(row.label, "aria-pressed", unit === view.unit);
      for (const [cell, value, least] of [[row.meters[0], share, rules.min_share], [row.meters[1], run, rules.min_run]]) {
        setVar(cell, "--s", Math.min(1, value).toFixed(4));
        setVar(cell, "--least", Math.min(1, least).toFixed(4));
        cell.classList.toggle("below", value < least - 1e-9);
        setText(cell.text, value.toFixed(2));
      }
      if (verdict === "selected") sum += share;
      setText(row.score, score.toFixed(2));
      setText(row.sum, verdict === "selected" ? sum.toFixed(2) : "");
      setText(row.verdict, VERDICTS[verdict] ?? "");
    });
  }

  function draw(span, answer, units, view) {
    const why = span?.why;
    body.hidden = !why;
    hint.hidden = Boolean(why);
    if (!why) {
      setText(hint, !span ? "Select a sentence to see how its sources were chosen." : span.live ? "The sentence is still being written." : "Votes are coming …");
      return;
    }
    const { rules } = answer;
    meter.draw(span.meter);
    setText(rule, "Vote = weight of its part of speech × confidence ^ γ, with γ = " + rules.gamma + ". Confidence is the signal on that source; the stronger the colour, the bigger the vote.");
    setText(rule5, "p: its share of the votes. r: its longest run of votes. q = " + rules.alpha + "·p + " + (1 - rules.alpha).toFixed(2).replace(/0$/, "") + "·r. Skipped if p < " + rules.min_share + " and r < " + rules.min_run + "; enough once Σp ≥ " + rules.coverage + ".");
    drawTokens(why, units);
    drawTally(why, units, rules, view);
  }
  return { draw };
}

// White space has no looks of its own.
function visible(text) {
  return text.trim() || (text.includes("\n") ? "⏎" : text ? "␣" : "∅");
}

function number(value) {
  if (value === 0) return "0";
  return value >= 0.001 ? value.toPrecision(3) : value.toExponential(1);
}
