// The five lanes and their marks. Colour is never the only one: each has an icon, a word and a line.

const LANES = {
  text: { name: "Text", tint: "var(--text)", icon: "M2.5 3.5h11M2.5 6.5h11M2.5 9.5h11M2.5 12.5h6" },
  image: { name: "Image", tint: "var(--image)", icon: "M2 3h12v10H2zM2.5 11.5l3.5-4 3 3 2-2 2.5 3M10.6 6h.01" },
  audio: { name: "Audio", tint: "var(--audio)", icon: "M2.5 6.5v3M5.2 4.5v7M8 2.5v11M10.8 5v6M13.5 6.8v2.4" },
  video_frames: { name: "Film picture", tint: "var(--frames)", icon: "M2 3h12v10H2zM5 3v10M11 3v10M2 6.3h3M2 9.7h3M11 6.3h3M11 9.7h3" },
  video_sound: { name: "Film sound", tint: "var(--sound)", icon: "M2.5 6v4h2.6L8.5 13V3L5.1 6zM11 5.8q2 2.2 0 4.4M12.7 3.8q3.6 4.2 0 8.4" },
};

const KIND_LANE = { text: "text", image: "image", audio: "audio", video: "video_frames" };

function icon(path, className, parent) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "ot-icon" + (className ? " " + className : ""));
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  if (parent) parent.append(svg);
  return svg;
}

function setIcon(svg, path) {
  const line = svg.firstChild;
  if (line.getAttribute("d") !== path) line.setAttribute("d", path);
}

function setLane(node, lane) {
  setAttr(node, "data-lane", lane && LANES[lane] ? lane : null);
}

function percent(share) {
  if (share > 0 && share < 0.005) return "<1 %";
  return Math.round(share * 100) + " %";
}

function plural(n, one, many) {
  return n + " " + (n === 1 ? one : many);
}

function clock(seconds) {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  const minutes = Math.floor(tenths / 600);
  return minutes + ":" + ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
}
