/** Facts about the device by the keys of splitpose/benchmark/schema.py, as far as the browser reveals them. */

/**
 * Client hints about the user agent, which not every browser has, and none on plain http.
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

/** Return the smallest step of the browser's clock, ms; browsers reduce its resolution against timing attacks. */
function clockResolution() {
  const steps = [];
  for (let previous = performance.now(); steps.length < 5; ) {
    const now = performance.now();
    if (now > previous) steps.push(now - previous);
    previous = now;
  }
  return Number(Math.min(...steps).toFixed(3));
}
