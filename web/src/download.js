/** Saving of results as files. */

/**
 * Save a file in the browser's folder of downloads.
 *
 * @param {Blob} content
 * @param {string} name
 */
export function saveFile(content, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000); // some browsers start to read it later
}

/** Return what a canvas displays as a PNG file. @returns {Promise<Blob>} */
export function toPng(/** @type {HTMLCanvasElement} */ canvas) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error("the browser cannot save an image of this size; open a smaller one"));
    }, "image/png");
  });
}
