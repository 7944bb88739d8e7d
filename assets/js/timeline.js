// A playable element with rows of bands beneath it: one stretch of time, many that an answer leans on.

// Plays [start, end) and stops there, unless the person takes over.
function bandPlayer(media, onStop) {
  let until = null;
  let frame = 0;
  const stop = () => { until = null; cancelAnimationFrame(frame); onStop(); };
  const watchEnd = () => {
    if (until === null) return;
    if (media.currentTime >= until - 0.01) {
      const end = until;
      stop();
      media.pause();
      media.currentTime = end;
      return;
    }
    frame = requestAnimationFrame(watchEnd);
  };
  // Background tabs get no animation frames: timeupdate still comes there.
  media.addEventListener("timeupdate", () => { if (until !== null && media.currentTime >= until) watchEnd(); });
  media.addEventListener("pause", () => { if (until !== null) stop(); });
  return {
    play(start, end) {
      if (until !== null) stop();
      const go = () => {
        media.currentTime = start;
        until = end;
        media.play().then(() => { frame = requestAnimationFrame(watchEnd); }, stop);
      };
      if (media.readyState >= HTMLMediaElement.HAVE_METADATA) go();
      else { media.addEventListener("loadedmetadata", go, { once: true }); media.load(); }
    },
    seek(time) {
      if (until !== null) stop();
      // A file that cannot be shown has a play head all the same: the element keeps the place.
      if (media.hidden) media.currentTime = time;
      else if (media.readyState >= HTMLMediaElement.HAVE_METADATA) media.currentTime = time;
      else { media.addEventListener("loadedmetadata", () => { media.currentTime = time; }, { once: true }); media.load(); }
    },
  };
}

function drawWave(canvas, peaks) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale), height = Math.round(canvas.clientHeight * scale);
  if (!width || !height) return;
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(canvas).color;
  const step = 3 * scale, bars = Math.max(1, Math.floor(width / step));
  for (let i = 0; i < bars; i++) {
    const from = Math.floor(i * peaks.length / bars), to = Math.max(from + 1, Math.floor((i + 1) * peaks.length / bars));
    let loudest = 0;
    for (let j = from; j < to && j < peaks.length; j++) loudest = Math.max(loudest, peaks[j]);
    const bar = Math.max(1.5 * scale, loudest / 100 * height * 0.92);
    pen.fillRect(i * step, (height - bar) / 2, 2 * scale, bar);
  }
}

// A stepped area, 0..100 of the track's strongest moment.
function intensityLine(track) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "ot-intensity");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("preserveAspectRatio", "none");
  const area = document.createElementNS(SVG, "path");
  svg.append(area);
  track.prepend(svg);
  let drawn = "";
  return {
    draw(values, width) {
      const path = values.length ? "M0 100" + values.map((value, i) => "V" + (100 - value) + "H" + (i + 1)).join("") + "V100Z" : "";
      if (path === drawn) return;
      drawn = path;
      svg.setAttribute("viewBox", "0 0 " + Math.max(1, values.length) + " 100");
      area.setAttribute("d", path);
      setVar(svg, "width", (100 * width).toFixed(2) + "%");
    },
  };
}

function tickStep(duration) {
  return [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800].find((step) => duration / step <= 8) ?? 3600;
}

// rows: [{lane, label, wave}]. onBand(unit, band) is called when a band is activated.
function timeline(host, media, rows, onBand) {
  const root = el("div", "ot-time" + (rows.length === 1 ? " single" : ""), host);
  const names = rows.length > 1 ? el("div", "ot-time-names", root) : null;
  const lanes = el("div", "ot-time-rows", root);
  const scale = el("div", "ot-time-ticks", root);
  setAttr(scale, "aria-hidden", "true");
  const head = el("div", "ot-time-head", lanes);
  let duration = 0, playing = null;
  const tracks = new Map();
  const player = bandPlayer(media, () => { playing = null; mark(); });

  for (const row of rows) {
    const track = el("div", "ot-track", lanes);
    setLane(track, row.lane);
    setAttr(track, "role", "group");
    setAttr(track, "aria-label", row.label);
    if (names) {
      const name = el("span", row.wave ? "ot-wave" : "", names);
      setLane(name, row.lane);
      icon(LANES[row.lane].icon, "", name);
      name.append(row.short);
    }
    const entry = { track, bands: [], canvas: null, peaks: [] };
    if (row.wave) {
      track.classList.add("ot-wave");
      entry.canvas = el("canvas", "", track);
      new ResizeObserver(() => drawWave(entry.canvas, entry.peaks)).observe(track);
    }
    track.addEventListener("keydown", (event) => rove(event, track));
    tracks.set(row.lane, entry);
  }

  function mark() {
    for (const band of lanes.querySelectorAll(".ot-band")) band.classList.toggle("playing", band.dataset.unit === playing);
  }
  function play(unit, start, end) {
    if (media.hidden) { show(start); return; }
    playing = String(unit);
    mark();
    player.play(start, end);
  }
  function show(start) {
    player.seek(start);
    drawHead();
  }
  function rove(event, track) {
    const bands = [...track.querySelectorAll(".ot-band")], at = bands.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: bands.length - 1 }[event.key];
    if (at < 0 || to === undefined || !bands[to]) return;
    event.preventDefault();
    event.stopPropagation();
    for (const [i, band] of bands.entries()) band.tabIndex = i === to ? 0 : -1;
    bands[to].focus();
  }
  function drawHead() {
    const length = duration || media.duration || 0;
    setVar(head, "--at", length ? Math.min(1, media.currentTime / length) : 0);
    if (!media.paused) requestAnimationFrame(drawHead);
  }
  for (const name of ["play", "seeking", "seeked", "timeupdate"]) media.addEventListener(name, drawHead);

  function timeAt(event) {
    const box = lanes.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * duration;
  }
  lanes.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest(".ot-band") || !duration) return;
    lanes.setPointerCapture(event.pointerId);
    player.seek(timeAt(event));
    const drag = (move) => player.seek(timeAt(move));
    lanes.addEventListener("pointermove", drag);
    for (const end of ["pointerup", "pointercancel"]) lanes.addEventListener(end, () => lanes.removeEventListener("pointermove", drag), { once: true });
  });

  return {
    setLength(seconds) {
      if (!(seconds > 0) || seconds === duration) return;
      duration = seconds;
      const step = tickStep(seconds), ticks = [];
      for (let t = 0; t <= seconds - step * 0.35; t += step) ticks.push(t);
      keyed(scale, ticks, (t) => t, () => el("span", "ot-tick"), (node, t) => {
        setVar(node, "--at", t / seconds);
        setText(node, step < 1 ? t.toFixed(1) + " s" : Math.floor(t / 60) + ":" + String(Math.round(t % 60)).padStart(2, "0"));
      });
    },
    setPeaks(lane, peaks) {
      const entry = tracks.get(lane);
      if (!entry?.canvas) return;
      entry.peaks = peaks;
      drawWave(entry.canvas, peaks);
    },
    // intensities: lane → [seconds, values]: a line along the foot of the track, under the bands.
    setIntensity(intensities) {
      for (const [lane, entry] of tracks) {
        const [seconds, values] = intensities[lane] ?? [0, []];
        entry.line ??= intensityLine(entry.track);
        entry.line.draw(values, duration ? seconds / duration : 1);
      }
    },
    // bands: [{unit, lane, start, end, share, rank, label, on}], in time
    setBands(bands) {
      for (const [lane, entry] of tracks) {
        const own = bands.filter((band) => band.lane === lane);
        keyed(entry.track.bandHost ??= el("div", "ot-bands", entry.track), own, (band) => band.unit, (band) => {
          const node = el("button", "ot-band");
          node.addEventListener("click", () => {
            play(node.band.unit, node.band.start, node.band.end);
            onBand(node.band);
          });
          return node;
        }, (node, band, i) => {
          node.band = band;
          node.dataset.unit = band.unit;
          node.tabIndex = i === 0 ? 0 : -1;
          setVar(node, "--from", duration ? band.start / duration : 0);
          setVar(node, "--to", duration ? Math.min(1, band.end / duration) : 1);
          setVar(node, "--s", band.share.toFixed(3));
          setAttr(node, "data-rank", band.rank || null);
          node.classList.toggle("on", band.on);
          setAttr(node, "aria-label", "Play " + band.label);
          setAttr(node, "title", band.label);
        });
      }
      mark();
    },
    show,
    play,
  };
}
