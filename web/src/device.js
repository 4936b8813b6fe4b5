/** What the browser tells of the device: names as in splitpose/benchmark/schema.py. */

/**
 * @param {string} simd the runtime's instructions
 * @returns {Promise<{cpu: string, architecture: string, cores: number, system: string, runtime: string}>}
 */
export async function about(simd) {
  const { userAgentData } = /** @type {any} */ (navigator); // not in every browser, and not on plain http
  const wanted = ["model", "architecture", "bitness", "platformVersion", "fullVersionList"];
  const told = (await userAgentData?.getHighEntropyValues(wanted)) ?? {};
  const browser = told.fullVersionList?.findLast(({ brand }) => !/not.?a.?brand/i.test(brand));
  const runtime = [
    `LiteRT.js ${LITERT}`,
    `WebAssembly with ${simd}`,
    browser ? `${browser.brand} ${browser.version}` : "browser not told",
    `clock of ${clockStep()} ms`,
  ];
  return {
    cpu: told.model || "not told",
    architecture: [told.architecture || "not told", told.bitness].filter(Boolean).join(" "),
    cores: navigator.hardwareConcurrency || 1,
    system: told.platform ? `${told.platform} ${told.platformVersion}`.trim() : navigator.userAgent.slice(0, 300),
    runtime: runtime.join(", "),
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
