// One row of the form: a text to write, or a file to look at.

const KIND_NAMES = { text: "Text", image: "Image", audio: "Audio", video: "Film" };
const ARROWS = {
  up: "M8 13V3.5M3.8 7.5L8 3.3l4.2 4.2", down: "M8 3v9.5M3.8 8.5L8 12.7l4.2-4.2",
  remove: "M4 4l8 8M12 4l-8 8", grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
};

// on: {move(id, step), remove(id), text(id, words), settle(), retry(id)}
function partRow(part, on) {
  const row = el("li", "ot-row-part");
  row.dataset.kind = part.kind;
  setLane(row, KIND_LANE[part.kind]);
  const grip = el("span", "ot-grip", row);
  grip.title = "Drag to another place";
  icon(ARROWS.grip, "", grip);
  grip.addEventListener("pointerdown", () => { row.draggable = true; });
  grip.addEventListener("pointerup", () => { row.draggable = false; });
  const main = el("div", "ot-row-main", row);
  const head = el("div", "ot-row-head", main);
  icon(LANES[KIND_LANE[part.kind]].icon, "", head);
  row.name = el("b", "", head);
  row.file = isolated(head, "ot-file");
  row.tools = el("span", "ot-tools", head);
  row.buttons = {};
  for (const [name, act] of [["up", () => on.move(part.id, -1)], ["down", () => on.move(part.id, 1)], ["remove", () => on.remove(part.id)]]) {
    const button = el("button", "ot-tool", row.tools);
    button.dataset.act = name;
    icon(ARROWS[name], "", button);
    button.addEventListener("click", act);
    row.buttons[name] = button;
  }
  const body = el("div", "ot-row-body", main);
  if (part.kind === "text") {
    const area = el("textarea", "", body);
    row.area = area;
    area.rows = 2;
    area.placeholder = "A source text: what the answer may draw on";
    setAttr(area, "dir", "auto");
    const grow = () => { area.style.height = "auto"; area.style.height = Math.min(320, area.scrollHeight + 2) + "px"; };
    row.grow = grow;
    area.addEventListener("input", () => { grow(); on.text(part.id, area.value); });
    area.addEventListener("change", () => on.settle());
    // Its width is unknown until it is shown; drafts of a hidden form would stay one line high.
    new ResizeObserver(grow).observe(row);
  } else {
    row.progress = el("div", "ot-progress", body);
    setAttr(row.progress, "role", "progressbar");
    row.preview = el("div", "ot-preview", body);
  }
  row.error = isolated(main, "ot-error");
  setAttr(row.error, "role", "alert");
  row.retry = el("button", "ot-button", main);
  row.retry.textContent = "Try again";
  row.retry.addEventListener("click", () => on.retry(part.id));
  row.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!event.altKey || !step) return;
    event.preventDefault();
    on.move(part.id, step, document.activeElement);
  });
  return row;
}

function drawRow(row, part, { place, count, number, error }) {
  const name = KIND_NAMES[part.kind] + " " + number;
  setText(row.name, name);
  setAttr(row, "aria-label", name);
  const file = part.file?.orig_name ?? part.sending?.name ?? "";
  setText(row.file, plainName(file));
  setAttr(row.file, "title", file ? plainName(file) : null);
  for (const [act, says, off] of [["up", "Move up", place === 0], ["down", "Move down", place === count - 1], ["remove", "Remove", false]]) {
    const button = row.buttons[act];
    setAttr(button, "aria-label", says + ": " + name);
    setAttr(button, "title", says + (act === "remove" ? "" : act === "up" ? " (Alt+↑)" : " (Alt+↓)"));
    button.disabled = off;
  }
  if (row.area) {
    setAttr(row.area, "aria-label", name);
    if (row.area.value !== part.text) { row.area.value = part.text; row.grow(); }
  } else {
    row.progress.hidden = !part.sending || Boolean(part.failed);
    setVar(row.progress, "--s", (part.progress ?? 0).toFixed(3));
    row.progress.classList.toggle("endless", part.progress === undefined);
    setAttr(row.progress, "aria-label", "Uploading " + name);
    setAttr(row.progress, "aria-valuenow", Math.round(100 * (part.progress ?? 0)));
    if (part.file?.url && row.preview.shown !== part.file.url) drawPreview(row.preview, part, name);
  }
  const says = part.failed ?? error ?? "";
  setText(row.error, says);
  row.error.hidden = !says;
  row.retry.hidden = !part.failed;
  row.classList.toggle("wrong", Boolean(says));
}

function drawPreview(host, part, name) {
  host.shown = part.file.url;
  const media = el(part.kind === "image" ? "img" : part.kind, "");
  if (part.kind === "image") { media.alt = name + ": " + plainName(part.file.orig_name); media.decoding = "async"; }
  else { media.controls = true; media.preload = "metadata"; setAttr(media, "aria-label", name); }
  if (part.kind === "video") media.playsInline = true;
  media.addEventListener("error", () => {
    const note = el("p", "ot-missing");
    note.textContent = "No preview: this browser cannot show the file. It can still be used.";
    host.replaceChildren(note);
  });
  host.replaceChildren(media);
  media.src = part.file.url;
}
