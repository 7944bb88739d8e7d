// Files on their way to the server, and sound recorded here.

const SUFFIXES = {
  image: "png jpg jpeg webp gif bmp tif tiff", audio: "wav flac ogg oga opus mp3 m4a aac",
  video: "mp4 m4v webm mkv mov avi", text: "txt md",
};

// What a file is by its ending, as the server decides it; by its type where the ending says nothing.
function kindOf(file) {
  const suffix = file.name.toLowerCase().split(".").pop();
  const known = Object.keys(SUFFIXES).find((kind) => SUFFIXES[kind].split(" ").includes(suffix));
  const guess = file.type.split("/")[0];
  return known ?? (["image", "audio", "video"].includes(guess) ? guess : null);
}

// Sends one file to gradio's upload route. Gradio's own `upload` reports no progress and cannot be
// stopped; it is the way where the page's configuration cannot be read.
function sendFile(file, { fallback, onProgress, signal }) {
  const config = window.gradio_config;
  if (!config?.root) return fallback(file);
  const limit = config.max_file_size;
  if (limit && file.size > limit) return Promise.reject(new Error(`The file has ${megabytes(file.size)}; at most ${megabytes(limit)} are accepted.`));
  const base = config.root.replace(/\/$/, "") + (config.api_prefix ?? "");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) onProgress(event.loaded / event.total); });
    request.addEventListener("load", () => {
      if (request.status === 413) return reject(new Error(`The file has ${megabytes(file.size)}, more than the server accepts.`));
      let paths = null;
      try { paths = JSON.parse(request.responseText); } catch { /* an error page */ }
      if (request.status !== 200 || typeof paths?.[0] !== "string") return reject(new Error(`The upload failed (${request.status}). Try again.`));
      resolve({ path: paths[0], url: base + "/file=" + encodeURI(paths[0]) });
    });
    request.addEventListener("error", () => reject(new Error("The connection broke. Try again.")));
    signal.addEventListener("abort", () => request.abort());
    const form = new FormData();
    form.append("files", file);
    request.open("POST", base + "/upload");
    request.send(form);
  });
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0) + " MB";
}

// Records until stopped; resolves to a WAV file, because every audio reader reads that, and few read
// what browsers record.
async function recordSound() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream), chunks = [];
  recorder.addEventListener("dataavailable", (event) => chunks.push(event.data));
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
  recorder.start();
  return {
    async stop(name) {
      recorder.stop();
      await stopped;
      for (const track of stream.getTracks()) track.stop();
      const context = new AudioContext();
      const sound = await context.decodeAudioData(await new Blob(chunks, { type: recorder.mimeType }).arrayBuffer());
      await context.close();
      return new File([wav(sound)], name, { type: "audio/wav" });
    },
  };
}

// 16-bit mono PCM at the recording's own rate.
function wav(sound) {
  const count = sound.length, view = new DataView(new ArrayBuffer(44 + 2 * count));
  const write = (at, text) => { for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i)); };
  write(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); write(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, sound.sampleRate, true); view.setUint32(28, 2 * sound.sampleRate, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true); write(36, "data"); view.setUint32(40, 2 * count, true);
  const channels = Array.from({ length: sound.numberOfChannels }, (_, i) => sound.getChannelData(i));
  for (let i = 0; i < count; i++) {
    const level = channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length;
    view.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, level)) * 32767, true);
  }
  return view.buffer;
}
