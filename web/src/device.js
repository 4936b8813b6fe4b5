/** What the browser tells of the device: names as in splitpose/deploy/figures.py. */

/** @returns {Promise<{cpu: string, architecture: string, cores: number, system: string, runtime: string}>} */
export async function about(/** @type {string} */ simd) {
  const wanted = ["model", "architecture", "bitness", "platformVersion", "fullVersionList"];
  const told = (await navigator.userAgentData?.getHighEntropyValues(wanted)) ?? {};
  const brand = told.fullVersionList?.findLast(({ brand }) => !/not.?a.?brand/i.test(brand));
  return {
    cpu: told.model || "not told by the browser",
    architecture: told.architecture ? `${told.architecture}${told.bitness ? ` ${told.bitness} bit` : ""}` : "not told",
    cores: navigator.hardwareConcurrency || 1,
    system: told.platform ? `${told.platform} ${told.platformVersion}`.trim() : navigator.userAgent.slice(0, 150),
    runtime: `LiteRT.js ${LITERT}, WebAssembly with ${simd}, ${brand ? `${brand.brand} ${brand.version}` : "browser"}, `
      + `clock of ${clockStep()} ms`,
  };
}

/** The smallest step of the browser's clock, ms: browsers make it coarse against spying. */
function clockStep() {
  const steps = [];
  for (let before = performance.now(); steps.length < 5; ) {
    const now = performance.now();
    if (now > before) steps.push(now - before);
    before = now;
  }
  return Number(Math.min(...steps).toFixed(3));
}
