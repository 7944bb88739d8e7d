// Intervals on a recording or film, drawn, moved and trimmed: a layer over the rows of `timeline`.

const TENTH = 0.1, DRAG_PIXELS = 4;

const tenths = (seconds) => Math.round(seconds * 10) / 10;

function nearest(seconds, edges) {
  return edges.reduce((best, edge) => (Math.abs(edge - seconds) < Math.abs(best - seconds) ? edge : best), edges[0]);
}

// The interval inside [0, length], on whole tenths or, given the units' edges, on those; never empty.
function fitted({ start, end, ...rest }, length, edges) {
  if (start > end) [start, end] = [end, start];
  const most = Math.max(TENTH, Math.floor(length * 10 + 0.001) / 10);
  if (edges?.length > 1) {
    const middle = (start + end) / 2;
    start = nearest(start, edges);
    end = nearest(end, edges);
    if (start === end) {
      const after = edges.find((edge) => edge > middle) ?? edges.at(-1);
      [start, end] = [edges[Math.max(0, edges.indexOf(after) - 1)], after];
    }
    return { ...rest, start, end };
  }
  start = Math.min(Math.max(0, tenths(start)), tenths(most - TENTH));
  end = Math.min(Math.max(tenths(end), tenths(start + TENTH)), most);
  return { ...rest, start, end };
}

// Those of one stream that touch become one: `last`, the one just made or moved, keeps its id.
function united(intervals, last) {
  let whole = last;
  const apart = intervals.filter((one) => {
    if (one.id === last.id) return false;
    const touches = one.part === whole.part && one.lane === whole.lane && one.start <= whole.end && one.end >= whole.start;
    if (touches) whole = { ...whole, start: Math.min(one.start, whole.start), end: Math.max(one.end, whole.end) };
    return !touches;
  });
  return [...apart, whole].sort((a, b) => a.part - b.part || a.start - b.start || a.end - b.end);
}

function moved(interval, edge, by, length) {
  if (edge === "start") return { ...interval, start: Math.min(interval.start + by, interval.end - TENTH) };
  if (edge === "end") return { ...interval, end: Math.max(interval.end + by, interval.start + TENTH) };
  const shift = Math.max(-interval.start, Math.min(by, length - interval.end));
  return { ...interval, start: interval.start + shift, end: interval.end + shift };
}

// Plays [start, end) over and over until stopped, or until the person takes over.
function looper(media, onChange) {
  let loop = null, frame = 0;
  const turn = () => {
    if (!loop) return;
    if (media.currentTime >= loop.end - 0.01 || media.currentTime < loop.start - 0.25) media.currentTime = loop.start;
    frame = requestAnimationFrame(turn);
  };
  const stop = () => { if (!loop) return; loop = null; cancelAnimationFrame(frame); onChange(); };
  // Background tabs get no animation frames; at the very end a recording stops by itself.
  media.addEventListener("timeupdate", () => { if (loop && media.currentTime >= loop.end) media.currentTime = loop.start; });
  media.addEventListener("ended", () => { if (loop) { media.currentTime = loop.start; media.play(); } });
  media.addEventListener("pause", () => { if (!media.ended) stop(); });
  return {
    play(start, end) { media.currentTime = start; loop = { start, end }; onChange(); media.play().then(turn, stop); },
    free() { stop(); media.play().catch(() => {}); },
    stop() { stop(); media.pause(); },
    get on() { return Boolean(loop) || !media.paused; },
  };
}

// onDone(interval, previous | null), onPick(interval | null), edgesOf(lane) → edges to snap to, or null.
function intervalLayer(card, part, { onDone, onPick, onRemove, edgesOf }) {
  const box = card.querySelector(".ot-time-rows");
  const tracks = [...box.querySelectorAll(".ot-track")];
  const layers = new Map(tracks.map((track) => [track.dataset.lane, el("div", "rv-layer", track)]));
  if (tracks.length > 1) layers.set("", el("div", "rv-layer rv-both", box));
  const judged = new Map([...layers].map(([lane, layer]) => [lane, el("div", "rv-ghosts", layer)]));
  const hosts = new Map([...layers].map(([lane, layer]) => [lane, el("div", "rv-bands", layer)]));
  let shown = [], picked = null, ghosts = [], drawing = null;

  const length = () => card.source.duration || card.media.duration || 0;
  const home = (interval) => (layers.has(interval.lane ?? "") ? interval.lane ?? "" : tracks[0].dataset.lane);
  // Of a recording, no stream and its only one mean the same: what is drawn joins what is there.
  const laneFor = (lane) => (tracks.length === 1 && shown.length ? shown[0].lane ?? null : lane);
  const laneAt = (event) => (tracks.find((track) => event.clientY < track.getBoundingClientRect().bottom) ?? tracks.at(-1)).dataset.lane;

  function timeAt(event) {
    const { left, width } = box.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / width)) * length();
  }

  // Before the timeline's own handler, which seeks.
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !length()) return;
    event.stopImmediatePropagation();
    const band = event.target.closest(".rv-band"), edge = event.target.dataset.edge ?? null;
    const from = timeAt(event), x = event.clientX, was = band?.interval ?? null;
    const lane = was ? was.lane : laneFor(laneAt(event));
    box.setPointerCapture(event.pointerId);
    const at = (move) => fitted(was ? moved(was, edge, timeAt(move) - from, length()) : { id: freshId(), part, lane, start: from, end: timeAt(move) }, length(), edgesOf(lane));
    const drag = (move) => {
      if (!drawing && Math.abs(move.clientX - x) < DRAG_PIXELS) return;
      drawing = { ...at(move), id: was?.id ?? drawing?.id ?? freshId() };
      draw();
    };
    const end = (up) => {
      box.removeEventListener("pointermove", drag);
      for (const name of ENDS) box.removeEventListener(name, end);
      const made = drawing;
      drawing = null;
      if (up.type === "pointercancel") draw();
      else if (made) onDone(made, was);
      else { if (!was) card.time.show(from); onPick(was); }
    };
    box.addEventListener("pointermove", drag);
    for (const name of ENDS) box.addEventListener(name, end);
  }, true);

  box.addEventListener("keydown", (event) => {
    const band = event.target.closest(".rv-band");
    if (!band || event.ctrlKey || event.metaKey || event.altKey) return;
    const { interval } = band, edge = event.target.dataset.edge ?? null;
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (by) onDone(fitted(moved(interval, edge, by * (event.shiftKey ? 1 : TENTH), length()), length()), interval);
    else if (event.key === "Delete" || event.key === "Backspace") onRemove(interval);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // A band takes the focus when it is reached by Tab, and is then the picked one.
  box.addEventListener("focusin", (event) => {
    const band = event.target.closest(".rv-band");
    if (band && band.interval.id !== picked) onPick(band.interval);
  });

  function makeBand() {
    const band = el("div", "rv-band");
    band.grip = el("button", "rv-grip", band);
    band.edges = ["start", "end"].map((name) => {
      const edge = el("span", "rv-edge", band);
      edge.dataset.edge = name;
      setAttr(edge, "role", "slider");
      edge.tabIndex = 0;
      return edge;
    });
    return band;
  }

  function place(node, { start, end }) {
    const whole = length() || 1;
    setVar(node, "--from", (start / whole).toFixed(5));
    setVar(node, "--to", Math.min(1, end / whole).toFixed(5));
  }

  function draw() {
    const all = drawing ? [...shown.filter((one) => one.id !== drawing.id), drawing] : shown;
    for (const [lane, host] of hosts) {
      keyed(host, all.filter((one) => home(one) === lane), (one) => one.id, makeBand, (band, one) => {
        band.interval = one;
        place(band, one);
        const says = clock(one.start) + "–" + clock(one.end);
        band.classList.toggle("on", one.id === picked || one === drawing);
        setAttr(band.grip, "aria-label", "Interval " + says + " of " + card.source.name);
        setAttr(band.grip, "aria-pressed", String(one.id === picked));
        setAttr(band, "data-says", says);
        for (const edge of band.edges) {
          const value = one[edge.dataset.edge];
          setAttr(edge, "aria-label", (edge.dataset.edge === "start" ? "Start" : "End") + " of interval " + says);
          setAttr(edge, "aria-valuemin", 0);
          setAttr(edge, "aria-valuemax", tenths(length()));
          setAttr(edge, "aria-valuenow", tenths(value));
          setAttr(edge, "aria-valuetext", clock(value));
        }
      });
      keyed(judged.get(lane), ghosts.filter((one) => home(one) === lane), (_, i) => i, () => el("div", "rv-ghost"), (node, one) => {
        place(node, one);
        setAttr(node, "title", "The judge: " + clock(one.start) + "–" + clock(one.end));
      });
    }
  }

  return {
    length,
    laneFor,
    lanes: tracks.map((track) => track.dataset.lane),
    paint(intervals, selected, judge) {
      shown = intervals;
      picked = selected;
      ghosts = judge;
      draw();
    },
  };
}

const ENDS = ["pointerup", "pointercancel"];
