// PartsBuilder: the prompt's parts in order. Runs once per mounted component, with gradio's
// `element`, `props`, `trigger`, `upload` and `watch`. The value's contract stands in
// omnitrace_ui/views/__init__.py; parts that are still on their way carry "pending".

const root = element.querySelector(".ot");
const find = (name) => root.querySelector("." + name);
const list = find("ot-rows"), says = find("ot-form-says"), undo = find("ot-undo"), picker = find("ot-picker");

let parts = [], errors = {}, removed = null, dragged = null, recording = null;
const newId = () => "p" + crypto.getRandomValues(new Uint32Array(2)).reduce((text, n) => text + n.toString(36), "");

function read(value) {
  return (Array.isArray(value) ? JSON.parse(JSON.stringify(value)) : []).map((part) =>
    part.kind === "text" ? { id: part.id, kind: "text", text: part.text ?? "" } : { id: part.id, kind: part.kind, file: part.file });
}

function write(part) {
  if (part.kind === "text") return { id: part.id, kind: "text", text: part.text };
  if (!part.file) return { id: part.id, kind: part.kind, pending: true };
  return { id: part.id, kind: part.kind, file: part.file };
}

function push() {
  props.value = parts.map(write);
}

function changed() {
  push();
  draw();
  trigger("change");
}

function draw() {
  const seen = {};
  const numbers = new Map(parts.map((part) => [part.id, (seen[part.kind] = (seen[part.kind] ?? 0) + 1)]));
  keyed(list, parts, (part) => part.id, (part) => partRow(part, { move, remove, text, settle: () => trigger("change"), retry }),
    (row, part, place) => drawRow(row, part, { place, count: parts.length, number: numbers.get(part.id), error: errors[part.id] }));
  find("ot-drop-hint").hidden = parts.length > 0;
  undo.hidden = !removed;
  if (removed) setText(find("ot-undo-text"), removed.name + " removed.");
}

function rowOf(id) {
  return list.children[parts.findIndex((part) => part.id === id)];
}

function nameOf(id) {
  return rowOf(id)?.name.textContent ?? "";
}

function place(id, to, focus) {
  const from = parts.findIndex((part) => part.id === id);
  if (to < 0 || to >= parts.length || from === to) return;
  const [part] = parts.splice(from, 1);
  parts.splice(to, 0, part);
  changed();
  // Moving a node takes its focus away.
  if (focus) (focus.disabled ? rowOf(id).querySelector(".ot-tool:not(:disabled)") : focus).focus();
  setText(says, nameOf(id) + " is now number " + (to + 1) + " of " + parts.length + ".");
}

function move(id, step, focus = document.activeElement) {
  place(id, parts.findIndex((part) => part.id === id) + step, focus);
}

function remove(id) {
  const at = parts.findIndex((part) => part.id === id);
  const part = parts[at];
  removed = { part, at, name: nameOf(id) };
  part.sending?.stop?.abort();
  parts.splice(at, 1);
  changed();
  (list.children[Math.min(at, parts.length - 1)]?.buttons.remove ?? find("ot-add-text")).focus();
}

undo.querySelector("button").addEventListener("click", () => {
  const { part, at } = removed;
  parts.splice(Math.min(at, parts.length), 0, part);
  removed = null;
  changed();
  rowOf(part.id).buttons.remove.focus();
  if (part.sending && !part.file) send(part);
});

function text(id, words) {
  parts.find((part) => part.id === id).text = words;
  if (errors[id]) { delete errors[id]; draw(); }
  push();
}

async function addFiles(files, at = parts.length) {
  const refused = [], added = [];
  for (const file of files) {
    const kind = kindOf(file);
    if (!kind) { refused.push(plainName(file.name)); continue; }
    added.push(kind === "text" ? { id: newId(), kind, text: await file.text() } : { id: newId(), kind, sending: { name: file.name, file } });
  }
  parts.splice(at, 0, ...added);
  removed = null;
  setText(says, refused.length ? "Not a picture, recording, film or text: " + refused.join(", ") : "");
  says.classList.toggle("wrong", refused.length > 0);
  if (!added.length) return;
  changed();
  for (const part of added) if (part.sending) send(part);
}

async function send(part) {
  const { file } = part.sending;
  part.sending.stop = new AbortController();
  part.failed = undefined;
  part.progress = undefined;
  draw();
  const redraw = once(draw);
  try {
    const { path, url } = await sendFile(file, { fallback: upload, signal: part.sending.stop.signal, onProgress(share) { part.progress = share; redraw(); } });
    // Gradio checks the path of a file only if it is marked as one.
    part.file = { path, url, orig_name: file.name, mime_type: file.type || null, meta: { _type: "gradio.FileData" } };
    part.sending = undefined;
  } catch (error) {
    part.failed = error.message || "The upload failed. Try again.";
  }
  if (parts.includes(part)) changed();
}

function retry(id) {
  send(parts.find((part) => part.id === id));
}

find("ot-add-text").addEventListener("click", () => {
  const part = { id: newId(), kind: "text", text: "" };
  parts.push(part);
  removed = null;
  changed();
  rowOf(part.id).area.focus();
});
find("ot-add-file").addEventListener("click", () => picker.click());
picker.addEventListener("change", () => { addFiles([...picker.files]); picker.value = ""; });

// Recording: one button, which says what it will do.
const record = find("ot-record"), recordText = find("ot-record-text");
record.hidden = !navigator.mediaDevices?.getUserMedia || !window.MediaRecorder;
record.addEventListener("click", async () => {
  record.disabled = true;
  try {
    if (recording) {
      const file = await recording.stop("Recording " + new Date().toISOString().slice(11, 19).replaceAll(":", "-") + ".wav");
      recording = null;
      await addFiles([file]);
    } else recording = await recordSound();
    setText(says, recording ? "Recording …" : "");
  } catch (error) {
    recording = null;
    setText(says, error.name === "NotAllowedError" ? "The browser does not allow recording: allow the microphone and try again." : "Recording failed: no usable microphone.");
  }
  record.disabled = false;
  record.classList.toggle("live", Boolean(recording));
  setText(recordText, recording ? "Stop recording" : "Record");
});

// Dropping: files anywhere, rows between rows.
const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");

function slot(event) {
  const rows = [...list.children];
  const at = rows.findIndex((row) => { const box = row.getBoundingClientRect(); return event.clientY < box.top + box.height / 2; });
  return at < 0 ? rows.length : at;
}

function showSlot(at) {
  for (const [i, row] of [...list.children].entries()) {
    row.classList.toggle("slot-before", i === at);
    row.classList.toggle("slot-after", at === list.children.length && i === at - 1);
  }
}

function endDrag() {
  root.classList.remove("dropping");
  showSlot(-1);
  for (const row of list.children) { row.draggable = false; row.classList.remove("dragged"); }
  dragged = null;
}

list.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.(".ot-row-part");
  if (!row?.draggable) return;
  dragged = parts[[...list.children].indexOf(row)].id;
  row.classList.add("dragged");
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", "");
});
root.addEventListener("dragover", (event) => {
  if (!dragged && !hasFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = dragged ? "move" : "copy";
  root.classList.toggle("dropping", !dragged);
  showSlot(slot(event));
});
root.addEventListener("dragleave", (event) => { if (!root.contains(event.relatedTarget)) { root.classList.remove("dropping"); showSlot(-1); } });
root.addEventListener("dragend", endDrag);
root.addEventListener("drop", (event) => {
  if (!dragged && !hasFiles(event)) return;
  event.preventDefault();
  const at = slot(event), id = dragged;
  endDrag();
  if (!id) { addFiles([...event.dataTransfer.files], at); return; }
  const from = parts.findIndex((part) => part.id === id);
  place(id, at > from ? at - 1 : at);
});

// Pasting files works wherever no other field is being written in.
function paste(event) {
  if (!element.isConnected) { document.removeEventListener("paste", paste); return; }
  const files = [...(event.clipboardData?.files ?? [])];
  const elsewhere = event.target.closest?.("input, textarea, [contenteditable]");
  if (!files.length || !root.offsetParent || (elsewhere && !root.contains(elsewhere))) return;
  event.preventDefault();
  addFiles(files);
}
document.addEventListener("paste", paste);

function fromServer() {
  for (const part of parts) part.sending?.stop?.abort();
  parts = read(props.value);
  errors = {};
  removed = null;
  setText(says, "");
  draw();
}

fromServer();
watch("value", fromServer);
watch("errors", () => { errors = { ...(props.errors?.by_part ?? {}) }; draw(); list.querySelector(".wrong")?.scrollIntoView({ block: "nearest" }); });
