/**
 * What is looked at: a picture, a video or the camera.
 *
 * @typedef {{name: string, live: boolean, mirrored: boolean, width: number, height: number,
 *   content: CanvasImageSource, paused: boolean, pause: () => boolean, end: () => void}} Source
 *   `pause` stops or goes on, and says whether it stands still now
 */

/** Canvases of more pixels than this fail on some phones, so larger pictures are made smaller. */
const MOST_PIXELS = 16e6;

/** @param {Blob} file @param {string} name @returns {Promise<Source>} */
export async function pictureSource(file, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch (error) {
    throw new Error(`${name}: no picture that this browser can read; give a JPEG or PNG file`, { cause: error });
  }
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (bitmap.width * bitmap.height)));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.floor(scale * side)));
  const still = { live: false, mirrored: false, paused: false, pause: () => false };
  return { name, ...still, width, height, content: bitmap, end: () => bitmap.close() };
}

/** @param {Blob} file @param {string} name @returns {Promise<Source>} */
export async function videoSource(file, name) {
  const video = silentVideo();
  const address = URL.createObjectURL(file);
  const end = () => {
    video.pause();
    video.removeAttribute("src");
    URL.revokeObjectURL(address);
  };
  video.loop = true;
  video.src = address;
  try {
    await started(video);
  } catch (error) {
    end();
    throw new Error(`${name}: no video that this browser can play; give an MP4 or WebM file`, { cause: error });
  }
  return playing(name, video, false, end);
}

/** @param {"user" | "environment"} facing @returns {Promise<Source>} */
export async function cameraSource(facing) {
  if (!navigator.mediaDevices) {
    throw new Error("The camera works only on https or localhost; pictures and videos work here too");
  }
  let stream;
  try {
    const video = { facingMode: facing, width: { ideal: 1280 }, height: { ideal: 720 } };
    stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new Error(cameraProblem(error), { cause: error });
  }
  const video = silentVideo();
  video.srcObject = stream;
  await started(video);
  return playing("camera", video, facing === "user", () => stream.getTracks().forEach((track) => track.stop()));
}

/** What to do about a camera that is not given. */
function cameraProblem(/** @type {DOMException} */ error) {
  if (error.name === "NotAllowedError") {
    return "The camera was refused; allow it for this page in the browser's settings and press Camera again";
  }
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "There is no camera here";
  return `The camera cannot be used (${error.message || error.name}); does another program hold it?`;
}

function silentVideo() {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  return video;
}

/** It plays, and its first picture is there. */
async function started(/** @type {HTMLVideoElement} */ video) {
  const shown = new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(video.error);
  });
  await Promise.all([video.play(), shown]);
  if (!video.videoWidth) throw new Error("no pictures in it");
}

/** @returns {Source} */
function playing(name, video, mirrored, end) {
  const pause = () => {
    if (video.paused) video.play();
    else video.pause();
    return video.paused;
  };
  return {
    name, live: true, mirrored, content: video, pause, end,
    get paused() {
      return video.paused;
    },
    get width() {
      return video.videoWidth;
    },
    get height() {
      return video.videoHeight;
    },
  };
}
