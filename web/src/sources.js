/**
 * Sources of images: a file, a video or the camera.
 *
 * @typedef {object} Source
 * @property {string} name
 * @property {boolean} isLive whether its image changes over time
 * @property {boolean} isMirrored whether it is displayed as in a mirror
 * @property {number} width px
 * @property {number} height px
 * @property {CanvasImageSource} content
 * @property {boolean} isPaused
 * @property {() => boolean} togglePause pauses or resumes, and returns whether it is paused now
 * @property {number | null} duration s, null for a source without a known duration
 * @property {number} time of the current image, s
 * @property {(seconds: number) => Promise<void>} seek goes to another image
 * @property {() => void} close
 */

/** Larger images are downscaled, because larger canvases fail on some phones. */
const MAX_PIXELS = 16e6;

/**
 * @param {Blob} file
 * @param {string} name
 * @returns {Promise<Source>}
 */
export async function imageSource(file, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch (error) {
    throw new Error(`${name}: not an image that this browser can read; use a JPEG or PNG file`, { cause: error });
  }
  const scale = Math.min(1, Math.sqrt(MAX_PIXELS / (bitmap.width * bitmap.height)));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.floor(scale * side)));
  const still = { isLive: false, isMirrored: false, isPaused: false, togglePause: () => false };
  const timeless = { duration: null, time: 0, seek: async () => {} };
  return { name, ...still, ...timeless, width, height, content: bitmap, close: () => bitmap.close() };
}

/**
 * @param {Blob} file
 * @param {string} name
 * @returns {Promise<Source>}
 */
export async function videoSource(file, name) {
  const video = createVideo();
  const address = URL.createObjectURL(file);
  const close = () => {
    video.pause();
    video.removeAttribute("src");
    URL.revokeObjectURL(address);
  };
  video.loop = true;
  video.src = address;
  try {
    await play(video);
  } catch (error) {
    close();
    throw new Error(`${name}: not a video that this browser can play; use an MP4 or WebM file`, { cause: error });
  }
  return liveSource(name, video, false, close);
}

/**
 * @param {"user" | "environment"} facingMode
 * @returns {Promise<Source>}
 */
export async function cameraSource(facingMode) {
  if (!navigator.mediaDevices) {
    throw new Error("The camera requires https or localhost; images and videos can be opened on this page, too");
  }
  /** @type {MediaStream} */
  let stream;
  try {
    const video = { facingMode, width: { ideal: 1280 }, height: { ideal: 720 } };
    stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new Error(cameraProblem(error), { cause: error });
  }
  const video = createVideo();
  video.srcObject = stream;
  await play(video);
  const close = () => stream.getTracks().forEach((track) => track.stop());
  return liveSource("camera", video, facingMode === "user", close);
}

/** Describe the problem with the camera and its remedy. */
function cameraProblem(/** @type {unknown} */ error) {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === "NotAllowedError") {
    return "Access to the camera was denied; allow it for this page in the browser's settings and press Camera again";
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return "This device has no such camera; open an image or a video";
  }
  return `The camera cannot be used (${message || name}); close other programs that may use it`;
}

function createVideo() {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  return video;
}

/** Play a video and wait for its first frame. */
async function play(/** @type {HTMLVideoElement} */ video) {
  const firstFrame = new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(video.error);
  });
  await Promise.all([video.play(), firstFrame]);
  if (!video.videoWidth) throw new Error("the video has no images");
}

/**
 * @param {string} name
 * @param {HTMLVideoElement} video
 * @param {boolean} isMirrored
 * @param {() => void} close
 * @returns {Source}
 */
function liveSource(name, video, isMirrored, close) {
  const togglePause = () => {
    if (video.paused) video.play();
    else video.pause();
    return video.paused;
  };
  const seek = async (/** @type {number} */ seconds) => {
    const arrived = new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
    video.currentTime = seconds;
    await arrived;
  };
  return {
    name, isLive: true, isMirrored, content: video, togglePause, close, seek,
    duration: Number.isFinite(video.duration) ? video.duration : null,
    get time() {
      return video.currentTime;
    },
    get isPaused() {
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
