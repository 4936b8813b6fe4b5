/** Caching of the page for offline use by service_worker.js. */

/**
 * Install the service worker and fetch through it the files that it does not cache by itself.
 *
 * @param {string[]} files that the page requires besides its own: the runtime and the models
 * @returns {Promise<boolean>} whether the page works offline, which requires https or localhost
 */
export async function cacheForOffline(files) {
  const container = navigator.serviceWorker;
  if (!container) return false;
  try {
    await container.register("service_worker.js");
    await container.ready;
    if (!container.controller) await new Promise((resolve) => (container.oncontrollerchange = resolve));
    for (const file of files) {
      if (!(await fetch(file)).ok) return false;
    }
    return true;
  } catch (error) {
    console.info("not cached for offline use:", error); // not permitted, e.g. in a private window
    return false;
  }
}
