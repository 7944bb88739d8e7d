// The lead's page: everybody's progress, agreement, disputed sentences, people, export, a new project.

const MODALITIES = { text: "Text F1", image: "Image F1", time: "Time F1" };

function tableOf(host, caption, heads, rows) {
  const table = el("table", "rv-table", host);
  el("caption", "", table).textContent = caption;
  const head = el("tr", "", el("thead", "", table));
  for (const name of heads) { const cell = el("th", "", head); cell.scope = "col"; setText(cell, name); }
  const body = el("tbody", "", table);
  for (const row of rows) {
    const line = el("tr", "", body);
    row.forEach((value, i) => {
      const cell = el(i ? "td" : "th", "", line);
      if (!i) cell.scope = "row";
      if (value instanceof Node) cell.append(value); else setText(isolated(cell, ""), value);
    });
  }
  return table;
}

const figure = (number, digits) => number.toFixed(digits);

// A score with its interval and what it rests on: "83.0 [78.1, 87.2] · 61".
function scoreText(score, { times = 100, digits = 1 } = {}) {
  if (!score) return "–";
  const range = score.interval ? " [" + score.interval.map((edge) => figure(edge * times, digits)).join(", ") + "]" : "";
  return figure(score.value * times, digits) + range + " · " + score.samples;
}

function minutes(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return "under 1 s";
  if (seconds < 90) return Math.round(seconds) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return (seconds / 3600).toFixed(1) + " h";
}

const FATES = { added: "added", same: "the same already", kept: "kept as they are here", unknown: "of other answers", empty: "empty" };
const EVERYONE = "all";
const named = (name, all) => (name === EVERYONE ? all : name);

function reviewLead(host, { onOpen, onRefused }) {
  const find = (name) => host.querySelector("." + name);
  let disputed = [];

  const asked = (action) => async (event) => {
    event?.preventDefault();
    try { await action(event); }
    catch (error) { onRefused(error); }
  };

  async function refresh() {
    const seen = await api("lead/overview");
    find("rv-progress-table").replaceChildren();
    tableOf(find("rv-progress-table"), "Progress", ["Name", "Sentences", "Answers", "Pace", "Left"], seen.progress.map((one) => [
      one.name, one.done + " of " + one.total, one.items_done + " of " + one.items,
      one.seconds_each === null ? "–" : minutes(one.seconds_each) + " a sentence", one.done === one.total ? "finished" : minutes(one.seconds_left),
    ]));
    disputed = seen.disputed;
    drawDisputed();
  }

  function drawDisputed() {
    const list = find("rv-disputed");
    setText(find("rv-disputed-none"), disputed.length ? "" : "No sentence has two opinions yet.");
    list.replaceChildren(...disputed.map((one, i) => {
      const row = el("li", ""), button = el("button", "rv-dispute", row);
      setText(el("span", "rv-share", button), percent(one.agreement));
      setText(isolated(button, "rv-text"), one.text);
      const facts = [one.people.join(", "), one.unsure.length ? "unsure: " + one.unsure.join(", ") : "", one.bad.length ? "bad: " + one.bad.join(", ") : "", one.settled ? "settled" : ""];
      setText(isolated(button, "rv-facts"), facts.filter(Boolean).join(" · "));
      row.classList.toggle("settled", one.settled);
      button.addEventListener("click", () => onOpen(i));
      return row;
    }));
  }

  const measure = asked(async () => {
    const place = find("rv-agreement");
    place.replaceChildren();
    el("p", "rv-hint", place).textContent = "Computing …";
    const { cells, reliability } = await api("lead/agreement", { patience: 180000 });
    place.replaceChildren();
    const groups = new Map();
    for (const cell of cells) {
      const key = JSON.stringify([cell.task, cell.annotator]);
      groups.set(key, { ...groups.get(key), task: cell.task, annotator: cell.annotator, [cell.modality]: cell.f1 });
    }
    tableOf(place, "Table 4: the judge and people", ["Task", "Annotator", ...Object.values(MODALITIES)], [...groups.values()].map((row) => [
      named(row.task, "all tasks"), named(row.annotator, "everyone"), ...Object.keys(MODALITIES).map((name) => scoreText(row[name])),
    ]));
    const known = reliability.filter((row) => row.kappa || row.alpha || (row.task === EVERYONE && row.annotator === EVERYONE));
    tableOf(place, "Between annotators", ["Task", "Annotator", "Cohen’s κ", "Krippendorff’s α"], known.map((row) => [
      named(row.task, "all tasks"), named(row.annotator, "everyone"), scoreText(row.kappa, { times: 1, digits: 2 }), scoreText(row.alpha, { times: 1, digits: 2 }),
    ]));
    el("p", "rv-hint", place).textContent = "F1 in percent; in brackets the 95 % interval; behind the dot the number of answers. Between annotators only what several of them checked counts.";
  });
  find("rv-measure").addEventListener("click", measure);
  for (const link of host.querySelectorAll("[data-file]")) link.href = API + "lead/export/" + link.dataset.file;

  find("rv-people").addEventListener("submit", asked(async (event) => {
    const form = event.target, { name, role, password } = form.elements;
    await api("lead/people", { body: { name: name.value.trim(), role: role.value, password: password.value } });
    form.reset();
    await refresh();
  }));

  find("rv-import").addEventListener("submit", asked(async (event) => {
    const form = event.target, [file] = form.elements.file.files, says = form.querySelector("[role=status]"), button = form.querySelector("[type=submit]");
    button.disabled = true;
    setText(says, "Reading …");
    try {
      const found = await api("lead/import/" + encodeURIComponent(file.name), { method: "PUT", body: file, raw: true, patience: 600000 });
      setText(says, Object.entries(FATES).filter(([name]) => found[name]).map(([name, words]) => found[name] + " " + words).join(", ") || "It holds no verdict.");
      form.reset();
      await refresh();
    } catch (error) {
      setText(says, "");
      throw error;
    } finally {
      button.disabled = false;
    }
  }));

  // One file after another: a thousand traces are not held in memory, and the bar moves.
  find("rv-create").addEventListener("submit", asked(async (event) => {
    const form = event.target, fields = form.elements, says = form.querySelector(".rv-hint"), button = form.querySelector("[type=submit]");
    const files = [...fields.traces.files, ...fields.labels.files];
    button.disabled = true;
    try {
      const { upload } = await api("lead/uploads", { body: {} });
      for (const [i, file] of files.entries()) {
        setText(says, "Uploading " + (i + 1) + " of " + files.length);
        await api("lead/uploads/" + upload + "/" + encodeURIComponent(file.name), { method: "PUT", body: file, raw: true, patience: 600000 });
      }
      setText(says, "Making the project …");
      const made = await api("lead/projects", { patience: 600000, body: {
        upload, name: fields.title.value.trim(), annotators: fields.annotators.value.split(/[,\n]/).map((name) => name.trim()).filter(Boolean),
        overlap: Number(fields.overlap.value) / 100, seed: Number(fields.seed.value), blind: fields.blind.checked, password: fields.password.value,
      } });
      setText(says, "The project “" + made.project + "” is ready. Sign out, and in to it: you lead it too.");
      form.reset();
    } finally {
      button.disabled = false;
    }
  }));

  return { refresh, disputed: () => disputed };
}
