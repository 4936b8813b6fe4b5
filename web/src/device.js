/** Facts about the device, with the keys of splitpose/benchmark/schema.py, as far as the browser reveals them. */

/**
 * Client hints about the user agent, which some browsers do not have, and which none provides on plain http.
 *
 * @typedef {object} UserAgentData
 * @property {(hints: string[]) => Promise<UserAgentValues>} getHighEntropyValues
 *
 * @typedef {object} UserAgentValues
 * @property {string} [model]
 * @property {string} [architecture]
 * @property {string} [bitness]
 * @property {string} [platform]
 * @property {string} [platformVersion]
 * @property {{brand: string, version: string}[]} [fullVersionList]
 */

const HINTS = ["model", "architecture", "bitness", "platformVersion", "fullVersionList"];
const UNKNOWN = "unknown";

/**
 * Return the facts about the device.
 *
 * @param {string} simd LiteRT's instruction set
 * @returns {Promise<{cpu: string, architecture: string, cores: number, system: string, runtime: string}>}
 */
export async function describeDevice(simd) {
  const { userAgentData } = /** @type {{userAgentData?: UserAgentData}} */ (navigator);
  const values = (await userAgentData?.getHighEntropyValues(HINTS)) ?? {};
  const brands = (values.fullVersionList ?? []).filter(({ brand }) => !/not.?a.?brand/i.test(brand));
  const browser = brands[brands.length - 1];
  const runtime = [
    `LiteRT.js ${LITERT_VERSION}`,
    `WebAssembly with ${simd}`,
    browser ? `${browser.brand} ${browser.version}` : "unknown browser",
    `clock of ${clockResolution()} ms`,
  ];
  return {
    cpu: values.model || UNKNOWN,
    architecture: [values.architecture || UNKNOWN, values.bitness].filter(Boolean).join(" "),
    cores: navigator.hardwareConcurrency || 1,
    system: values.platform
      ? `${values.platform} ${values.platformVersion}`.trim()
      : navigator.userAgent.slice(0, 300),
    runtime: runtime.join(", "),
  };
}

/** Return the smallest step of the browser's clock, ms; browsers coarsen it to prevent timing attacks. */
function clockResolution() {
  const steps = [];
  for (let previous = performance.now(); steps.length < 5; ) {
    const now = performance.now();
    if (now > previous) steps.push(now - previous);
    previous = now;
  }
  return Number(Math.min(...steps).toFixed(3));
}
