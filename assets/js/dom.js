// Nodes made and kept by hand. Everything from outside goes through setText: never markup.

const SVG = "http://www.w3.org/2000/svg";

function el(tag, className, parent) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (tag === "button") node.type = "button";
  if (parent) parent.append(node);
  return node;
}

// Assignments that change nothing are skipped: they would cost a repaint, and a live region would speak.
function setText(node, text) {
  const only = node.nodeType === Node.TEXT_NODE ? node : node.childNodes.length === 1 ? node.firstChild : null;
  if (only?.nodeType === Node.TEXT_NODE) { if (only.data !== text) only.data = text; }
  else if (node.textContent !== text) node.textContent = text;
}

function setAttr(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}

function setVar(node, name, value) {
  const text = value === null ? "" : String(value);
  if (node.style.getPropertyValue(name) !== text) node.style.setProperty(name, text);
}

// Text whose direction marks cannot reorder what stands around it.
function isolated(parent, className, text = "") {
  const node = el("bdi", className, parent);
  setText(node, text);
  return node;
}

// A file name as one line without characters that hide or reorder the rest ("gpj.exe" tricks).
function plainName(name) {
  return String(name ?? "").replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "\ufffd");
}

const pools = new WeakMap();

// Children of `parent`, one per item, reused by key. A node that stays in place is not touched:
// moving a media element stops it, moving a focused one loses the focus.
function keyed(parent, items, keyOf, make, update) {
  const old = pools.get(parent) ?? new Map();
  const pool = new Map();
  for (const [i, item] of items.entries()) {
    const key = keyOf(item, i);
    pool.set(key, old.get(key) ?? make(item, i));
  }
  for (const [key, node] of old) if (pool.get(key) !== node) node.remove();
  let at = parent.firstChild;
  for (const node of pool.values()) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  pools.set(parent, pool);
  for (const [i, item] of items.entries()) update(pool.get(keyOf(item, i)), item, i);
}

function once(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; action(); });
  };
}
