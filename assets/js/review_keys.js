// Keys of the desk. One table: what is pressed, what it does, and what the list says of it.

const KEYS = [
  { keys: ["0–9"], does: "choose the source with this number, or let it go" },
  { keys: ["Enter"], act: "go", does: "accept the judge, or finish what you chose, and go on" },
  { keys: ["j", "ArrowDown"], act: "next", does: "next sentence" },
  { keys: ["k", "ArrowUp"], act: "previous", does: "sentence before" },
  { keys: ["PageDown", "J"], act: "nextItem", does: "next answer" },
  { keys: ["PageUp", "K"], act: "previousItem", does: "answer before" },
  { keys: ["x"], act: "unsupported", does: "nothing supports this sentence" },
  { keys: ["m"], act: "unsure", does: "unsure: somebody should look again" },
  { keys: ["b"], act: "bad", does: "bad sentence: it cannot be judged" },
  { keys: ["n"], act: "note", does: "write a note; Enter ends it" },
  { keys: ["u"], act: "undo", does: "undo the last change, wherever it was" },
  { keys: [" "], act: "play", does: "play the chosen interval over and over; stop" },
  { keys: ["s", "["], act: "start", does: "start an interval here, or move the start of the chosen one here" },
  { keys: ["e", "]"], act: "end", does: "end it here" },
  { keys: ["t"], act: "nextInterval", does: "choose the next interval" },
  { keys: ["ArrowLeft"], act: "earlier", does: "move the interval, or the play head, 0.1 s earlier" },
  { keys: ["ArrowRight"], act: "later", does: "… later; with Shift: its end, or the play head by 1 s" },
  { keys: ["Delete", "Backspace"], act: "remove", does: "delete the chosen interval" },
  { keys: ["l"], act: "lane", does: "film: picture, sound or both" },
  { keys: ["r"], act: "recording", does: "next recording or film" },
  { keys: ["g"], act: "snap", does: "snap to tenths of a second, or to segments" },
  { keys: ["Escape"], act: "escape", does: "let the interval go, stop playing" },
  { keys: ["?"], act: "help", does: "this list" },
];

const KEY_NAMES = { " ": "Space", ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", PageDown: "Page ↓", PageUp: "Page ↑", Escape: "Esc", Delete: "Del", J: "Shift J", K: "Shift K" };

function listKeys(host) {
  for (const { keys, does } of KEYS) {
    const term = el("dt", "", host);
    keys.forEach((key, i) => {
      if (i) term.append(" ");
      el("kbd", "", term).textContent = KEY_NAMES[key] ?? key.toUpperCase();
    });
    el("dd", "", host).textContent = does;
  }
}

// act(name, event) for a key of the table; code(unit) when the digits of a source's number are complete;
// partial(digits) while they are not. active() says whether the desk listens; codes() gives code → unit.
function deskKeys({ active, act, codes, onCode, onPartial }) {
  const table = new Map(KEYS.flatMap(({ keys, act: name }) => (name ? keys.map((key) => [key, name]) : [])));
  let typed = "";
  const write = (digits) => { typed = digits; onPartial(typed); };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !active(event)) return;
    const { key } = event;
    if (/^\d$/.test(key)) {
      event.preventDefault();
      const digits = typed + key, unit = codes().get(digits);
      write(!unit && [...codes().keys()].some((code) => code.startsWith(digits)) ? digits : "");
      if (unit) onCode(unit);
      return;
    }
    const name = table.get(event.shiftKey && /^[a-z]$/i.test(key) ? key.toUpperCase() : key.length === 1 ? key.toLowerCase() : key);
    if (!name) return;
    event.preventDefault();
    write("");
    act(name, event);
  });
}
