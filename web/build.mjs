/** Makes web/dist, the page as a folder that any static host can serve: `npm run build`. */

import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const source = join(here, "src"), part = join(here, "dist.part"), out = join(here, "dist");
const runtime = join(here, "node_modules", "@litertjs", "core");

/** Nothing from elsewhere, nothing to elsewhere, whatever the host sends. */
const POLICY = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self' blob:", "connect-src 'self'",
  "img-src 'self' blob:", "media-src 'self' blob:", "style-src 'self'", "base-uri 'none'", "form-action 'none'",
].join("; ");

/** Files of the page, besides the runtime and the models. */
const PAGE = ["index.html", "app.js", "worker.js", "style.css", "icon.svg", "sample.jpg"];

const { version } = JSON.parse(await readFile(join(runtime, "package.json"), "utf8"));

function bundle(names, options) {
  const entryPoints = names.map((name) => join(source, name));
  const usual = { outdir: part, bundle: true, minify: true, target: "es2022", logLevel: "warning" };
  return build({ entryPoints, ...usual, ...options });
}

await rm(part, { recursive: true, force: true });
await mkdir(join(part, "models"), { recursive: true });
await writeFile(join(part, "models", "index.json"), "[]\n"); // `make demo` puts models there
await bundle(["app.js", "bench.js"], { format: "esm", define: { LITERT: JSON.stringify(version) } });
// LiteRT would take hold of a graphics device that is not used, and warn of it where there is none.
await bundle(["worker.js"], { format: "iife", define: { "navigator.gpu": "undefined" }, pure: ["console.warn"] });
for (const name of ["index.html", "bench.html"]) {
  const page = await readFile(join(source, name), "utf8");
  await writeFile(join(part, name), page.replace("%POLICY%", POLICY));
}
for (const name of ["style.css", "icon.svg", "sample.jpg"]) await cp(join(source, name), join(part, name));
for (const name of await readdir(join(runtime, "wasm"))) {
  if (!name.includes("jspi")) await cp(join(runtime, "wasm", name), join(part, "wasm", name));
}

const hash = createHash("sha256").update(version);
for (const name of PAGE) hash.update(await readFile(join(part, name)));
const kept = { VERSION: hash.digest("hex").slice(0, 16), FILES: ["./", ...PAGE] };
await bundle(["sw.js"], {
  format: "iife",
  define: Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, JSON.stringify(value)])),
});

await rm(out, { recursive: true, force: true });
await rename(part, out);
