// A sentence's verdict in the browser, and what a change makes of it: the store's rules
// (core/review/state.py), applied at once; the server's answer has the last word.

const FLAGS = ["unsure", "unsupported", "bad"];

// From the wire: sets and intervals with names of their own, which only the browser needs.
function readVerdict(sent) {
  return sent && { ...sent, units: new Set(sent.units), intervals: sent.intervals.map(([part, start, end, lane]) => ({ id: freshId(), part, start, end, lane })) };
}

const emptyVerdict = () => ({ units: new Set(), intervals: [], unsure: false, unsupported: false, bad: false, accepted: false, note: "" });

function sameVerdict(a, b) {
  return JSON.stringify(plainVerdict(a)) === JSON.stringify(plainVerdict(b));
}

function plainVerdict(verdict) {
  return {
    units: [...verdict.units].sort(),
    intervals: verdict.intervals.map(({ part, start, end, lane }) => ({ part, start, end, lane: lane ?? null })).sort(inTime),
    ...Object.fromEntries(FLAGS.map((name) => [name, verdict[name]])),
    note: verdict.note,
  };
}

function inTime(a, b) {
  return a.part - b.part || (a.lane ?? "").localeCompare(b.lane ?? "") || a.start - b.start;
}

const namesSource = (verdict) => verdict.units.size > 0 || verdict.intervals.length > 0;

const APPLIED = {
  unit(verdict, { id, on }) {
    const units = new Set(verdict.units);
    if (on) units.add(id); else units.delete(id);
    return { ...verdict, units, unsupported: verdict.unsupported && !on };
  },
  intervals(verdict, { part, lane, intervals }) {
    const others = verdict.intervals.filter((one) => one.part !== part || (one.lane ?? null) !== lane);
    const ids = new Map(verdict.intervals.map((one) => [one.start + "-" + one.end, one.id]));
    const made = intervals.map(([start, end]) => ({ id: ids.get(start + "-" + end) ?? freshId(), part, lane, start, end }));
    return { ...verdict, intervals: [...others, ...made], unsupported: verdict.unsupported && !made.length };
  },
  flag(verdict, { name, on }) {
    const changed = { ...verdict, [name]: on };
    return name === "unsupported" && on ? { ...changed, units: new Set(), intervals: [] } : changed;
  },
  note: (verdict, { text }) => ({ ...verdict, note: text }),
  replace: (_, payload) => ({ ...emptyVerdict(), ...payload, units: new Set(payload.units), intervals: payload.intervals.map((one) => ({ id: freshId(), ...one })) }),
};

// A sentence's view from the wire → its record here. `past`: verdicts that U goes back to.
function readSentence(sent, before) {
  const verdict = readVerdict(sent.verdict), same = before && sameVerdict(before.verdict, verdict);
  return { ...sent, verdict: same ? before.verdict : verdict, judge: readVerdict(sent.judge), past: before?.version === sent.version ? before.past : [] };
}

// Untouched: then the judge's verdict, where it may be seen, is what stands to be accepted.
const isPristine = (record) => record.undoable === 0 && !record.done;
const standing = (record) => (isPristine(record) && record.judge ? record.judge : record.verdict);

// The record after a change that was not yet answered.
function changedRecord(record, kind, payload) {
  const past = [...record.past, { verdict: record.verdict, done: record.done }];
  const next = { ...record, past, version: record.version + 1, undoable: record.undoable + 1 };
  if (kind === "accept") return { ...next, verdict: { ...record.judge, accepted: true, note: record.verdict.note }, done: true };
  if (kind === "commit") return { ...next, done: true };
  if (kind === "undo") {
    const back = record.past.at(-1);
    return { ...record, past: record.past.slice(0, -1), version: record.version + 1, undoable: Math.max(0, record.undoable - 1), ...(back ?? {}) };
  }
  // A remark on a finished sentence does not reopen it.
  return { ...next, verdict: APPLIED[kind](record.verdict, payload), done: kind === "note" && record.done };
}
