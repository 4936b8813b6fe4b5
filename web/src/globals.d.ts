/** Constants that build.mjs defines. */

declare const LITERT_VERSION: string;
/** Version of the cached page; it changes with the content of its files. */
declare const CACHE_VERSION: string;
/** Files of the page that the service worker caches on installation. */
declare const PRECACHED_FILES: string[];
