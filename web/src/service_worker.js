/** Service worker that caches the page for offline use. */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const PAGE_CACHE = `page ${CACHE_VERSION}`, MODEL_CACHE = "models", INDEX = "models/index.json";

worker.addEventListener("install", (event) => {
  const precache = async () => {
    const cache = await caches.open(PAGE_CACHE);
    await cache.addAll(PRECACHED_FILES.map((file) => new Request(file, { cache: "reload" })));
    await worker.skipWaiting();
  };
  event.waitUntil(precache());
});

worker.addEventListener("activate", (event) => {
  const removeOutdatedCaches = async () => {
    for (const name of await caches.keys()) {
      if (name !== PAGE_CACHE && name !== MODEL_CACHE) await caches.delete(name);
    }
    await worker.clients.claim();
  };
  event.waitUntil(removeOutdatedCaches());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event, { scope } = worker.registration;
  if (request.method !== "GET" || !request.url.startsWith(scope)) return;
  const path = request.url.slice(scope.length);
  if (path === INDEX) event.respondWith(networkFirst(request));
  else event.respondWith(cacheFirst(request, path.startsWith("models/") ? MODEL_CACHE : PAGE_CACHE));
});

/**
 * Return a file from the cache, or fetch and cache it; the content at a URL never changes.
 *
 * @param {Request} request
 * @param {string} name of the cache
 */
async function cacheFirst(request, name) {
  const cache = await caches.open(name);
  const cached = await cache.match(request);
  if (cached) return cached;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}

/** Return the list of models from the network, or offline from the cache; models that are not listed are removed. */
async function networkFirst(/** @type {Request} */ request) {
  const cache = await caches.open(MODEL_CACHE);
  const response = await fetch(request).catch(() => null);
  if (!response?.ok) return (await cache.match(INDEX)) ?? Response.error();
  await cache.put(INDEX, response.clone());
  /** @type {{file: string}[]} */
  const entries = await response.clone().json();
  const listed = entries.map(({ file }) => new URL(file, worker.registration.scope).href);
  for (const { url } of await cache.keys()) {
    if (!listed.includes(url) && !url.endsWith(INDEX)) await cache.delete(url);
  }
  return response;
}
