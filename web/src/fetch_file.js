/**
 * Fetch a file that is served with the page.
 *
 * @param {string} file
 * @param {RequestInit} options
 * @returns {Promise<Response>}
 * @throws {Error} if the file cannot be fetched; the message names it
 */
export async function fetchFile(file, options = {}) {
  const response = await fetch(file, options).catch(() => null);
  if (!response?.ok) throw new Error(`${file.split("?")[0]}: could not be loaded; check that the server is running`);
  return response;
}
