/** What lies beside the page. @returns {Promise<Response>} @throws {Error} naming the file that does not come */
export async function fetched(/** @type {string} */ file, /** @type {RequestInit} */ options = {}) {
  const answer = await fetch(file, options).catch(() => null);
  if (!answer?.ok) throw new Error(`${file.split("?")[0]}: could not be loaded; is the server still there?`);
  return answer;
}
