/** Keeping the page for use without a network, by the service worker sw.js. */

/**
 * Install the service worker and fetch through it what it does not keep by itself.
 *
 * @param {string[]} files that are needed besides the page: the runtime, the models
 * @returns {Promise<boolean>} whether the page now works without a network; without https or localhost it cannot
 */
export async function keepOffline(files) {
  const keeper = navigator.serviceWorker;
  if (!keeper) return false;
  try {
    await keeper.register("sw.js");
    await keeper.ready;
    if (!keeper.controller) await new Promise((resolve) => (keeper.oncontrollerchange = resolve));
    for (const file of files) {
      if (!(await fetch(file)).ok) return false;
    }
    return true;
  } catch (error) {
    console.info("not kept for use without a network:", error); // forbidden here, say in a private window
    return false;
  }
}
