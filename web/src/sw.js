/** Keeps the page for use without a network. The build sets VERSION, and FILES: all but runtime and models. */

const PAGE = `page ${VERSION}`, MODELS = "models", INDEX = "models/index.json";

self.addEventListener("install", (event) => {
  const fill = async () => {
    const cache = await caches.open(PAGE);
    await cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
    await self.skipWaiting();
  };
  event.waitUntil(fill());
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) {
      if (name !== PAGE && name !== MODELS) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const { request } = event, { scope } = self.registration;
  if (request.method !== "GET" || !request.url.startsWith(scope)) return;
  const path = request.url.slice(scope.length);
  if (path === INDEX) event.respondWith(newest(request));
  else event.respondWith(kept(request, path.startsWith("models/") ? MODELS : PAGE));
});

/** From the cache, else from the network into the cache: an address has the same content for ever. */
async function kept(request, name) {
  const cache = await caches.open(name);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** The list of models from the network, without one from the cache. Models that are on it no longer are dropped. */
async function newest(request) {
  const cache = await caches.open(MODELS);
  const answer = await fetch(request).catch(() => null);
  if (!answer?.ok) return (await cache.match(INDEX)) ?? Response.error();
  await cache.put(INDEX, answer.clone());
  const listed = (await answer.clone().json()).map(({ file }) => new URL(file, self.registration.scope).href);
  for (const { url } of await cache.keys()) {
    if (!listed.includes(url) && !url.endsWith(INDEX)) await cache.delete(url);
  }
  return answer;
}
