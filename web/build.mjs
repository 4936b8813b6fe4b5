/** Build the page into web/dist, a folder that any static host can serve: `npm run build`. */

import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));
const source = join(root, "src"), part = join(root, "dist.part"), out = join(root, "dist");
const runtime = join(root, "node_modules", "@litertjs", "core");

/** Content-Security-Policy that forbids every other origin, whatever headers the host sends. */
const POLICY = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self' blob:", "connect-src 'self'",
  "img-src 'self' blob:", "media-src 'self' blob:", "style-src 'self'", "base-uri 'none'", "form-action 'none'",
].join("; ");

/** Files of the page besides the runtime and the models. */
const PAGE_FILES = ["index.html", "app.js", "worker.js", "style.css", "icon.svg", "sample.jpg"];

const { version } = JSON.parse(await readFile(join(runtime, "package.json"), "utf8"));

/** Bundle modules, each with its imports. */
function bundle(names, options) {
  const entryPoints = names.map((name) => join(source, name));
  const defaults = { outdir: part, bundle: true, minify: true, target: "es2022", logLevel: "warning" };
  return build({ entryPoints, ...defaults, ...options });
}

await rm(part, { recursive: true, force: true });
await mkdir(join(part, "models"), { recursive: true });
await writeFile(join(part, "models", "index.json"), "[]\n"); // `splitpose demo` adds models
await bundle(["app.js", "benchmark.js"], { format: "esm", define: { LITERT_VERSION: JSON.stringify(version) } });
// Without this, LiteRT would initialise WebGPU, which is not used, and log a warning if there is none.
await bundle(["worker.js"], { format: "iife", define: { "navigator.gpu": "undefined" }, pure: ["console.warn"] });
for (const name of ["index.html", "benchmark.html"]) {
  const page = await readFile(join(source, name), "utf8");
  await writeFile(join(part, name), page.replace("%POLICY%", POLICY));
}
for (const name of ["style.css", "icon.svg", "sample.jpg"]) await cp(join(source, name), join(part, name));
for (const name of await readdir(join(runtime, "wasm"))) {
  if (!name.includes("jspi")) await cp(join(runtime, "wasm", name), join(part, "wasm", name));
}

const hash = createHash("sha256").update(version);
for (const name of PAGE_FILES) hash.update(await readFile(join(part, name)));
await bundle(["service_worker.js"], {
  format: "iife",
  define: {
    CACHE_VERSION: JSON.stringify(hash.digest("hex").slice(0, 16)),
    PRECACHED_FILES: JSON.stringify(["./", ...PAGE_FILES]),
  },
});

await rm(out, { recursive: true, force: true });
await rename(part, out);
