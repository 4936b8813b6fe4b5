/**
 * Drives a real Chromium: `node browser_driver.mjs CHROMIUM SCENARIO OPTIONS`, the options as JSON.
 *
 * Prints {result, console, otherOrigins}: the scenario's result, the console's errors and warnings, and the requested
 * addresses of other origins.
 */

import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../web/package.json", import.meta.url))("playwright-core");
const [executablePath, name, options] = process.argv.slice(2);

/** Return what the page displays. */
async function pageState(page) {
  return page.evaluate(() => {
    const text = (id) => document.getElementById(id).textContent;
    const { dataset, width, height } = document.getElementById("image");
    const labels = [...document.querySelectorAll("fieldset label")];
    const people = JSON.parse(dataset.people ?? "[]");
    return {
      people,
      joints: people[0]?.joints ?? null,
      region: people[0]?.region ?? null,
      size: [width, height],
      status: text("status"),
      threshold: text("threshold-value"),
      sides: text("sides"),
      champion: document.getElementById("champion").hidden ? null : text("champion"),
      marked: labels.filter((label) => label.matches(".champion")).map((label) => label.textContent),
      trainedOn: text("trained-on"),
      message: text("message"),
      latency: ["p50", "p95", "runs", "rate"].map(text),
      selected: labels.filter((label) => label.querySelector("input").checked).map((label) => label.textContent),
      offered: labels.map((label) => label.textContent),
      metadata: text("metadata"),
      offline: text("offline"),
    };
  });
}

/** Wait until the page has predicted a source with a model several times. */
async function predicted(page, source = "sample", model = "", runs = 5) {
  const ready = ([source, model, runs]) =>
    document.getElementById("image").ariaLabel.startsWith(`${source} with the joints that ${model}`) &&
    Number(document.getElementById("runs").textContent) >= runs;
  await page.waitForFunction(ready, [source, model, runs]);
  return pageState(page);
}

/** Wait until the page describes the people that it displays in this way. */
async function described(page, beginning) {
  const ready = (beginning) => document.getElementById("status").textContent.startsWith(beginning);
  await page.waitForFunction(ready, beginning);
  return pageState(page);
}

/** Return the name and the content of the file that a button saves, in base64. */
async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator(button).click()]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return { name: download.suggestedFilename(), content: Buffer.concat(chunks).toString("base64") };
}

/** Return the controls and displays that are not completely inside the window. */
function outsideWindow(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll("button, .button, input:not([type=file], [type=radio]), summary, p, .latency, canvas")]
      .filter((element) => {
        const { width, top, right, bottom } = element.getBoundingClientRect();
        return width && (top < 0 || right > innerWidth || bottom > innerHeight);
      })
      .map((element) => element.id || element.textContent),
  );
}

async function openPage(context, { url }) {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

function select(page, text) {
  return page.locator("fieldset label", { hasText: new RegExp(`^${text}$`) }).click();
}

/** Select a region of the image, which has this width in px, by two of its corners. */
async function selectRegion(page, width, corners) {
  const bounds = await page.locator("#image").boundingBox(), scale = bounds.width / width;
  const screen = ([x, y]) => [bounds.x + (x + 0.5) * scale, bounds.y + (y + 0.5) * scale];
  await page.mouse.move(...screen(corners[0]));
  await page.mouse.down();
  await page.mouse.move(...screen(corners[1]), { steps: 3 });
  await page.mouse.up();
}

/** Return the error that the page displays after an action. */
async function errorAfter(page, action) {
  const before = await page.locator("#message").textContent();
  await action();
  const ready = (before) => {
    const message = document.getElementById("message");
    return message.matches(".error") && message.textContent !== before;
  };
  await page.waitForFunction(ready, before);
  return page.locator("#message").textContent();
}

const scenarios = {
  /** Predict the sample with each model. */
  async models(context, { models, ...given }) {
    const page = await openPage(context, given);
    const first = await predicted(page), states = [];
    for (const [variant, precision] of models) {
      await select(page, variant);
      await select(page, precision);
      const state = await predicted(page, "sample", `${variant} ${precision}`);
      const png = await page.evaluate(() => document.getElementById("image").toDataURL().split(",")[1]);
      states.push({ ...state, png });
    }
    return { first, states };
  },

  /** Open an image and a model, and select a region of the image by its corners. */
  async openFiles(context, { image, model, corners, ...given }) {
    const page = await openPage(context, given);
    const [imageName, modelName] = [image, model].map((path) => path.split("/").at(-1));
    await page.locator("#model-file").setInputFiles(model);
    await page.locator("#image-file").setInputFiles(image);
    const found = await predicted(page, imageName, modelName);
    const changed = async (previous) => {
      const differs = (people) => document.getElementById("image").dataset.people !== people;
      await page.waitForFunction(differs, JSON.stringify(previous.people));
      return pageState(page);
    };
    await selectRegion(page, found.size[0], corners);
    const selected = await changed(found);
    await page.locator("#clear-region").click();
    const cleared = await changed(selected);
    await page.locator("#search").uncheck();
    return { found, selected, cleared, whole: await changed(cleared) };
  },

  /**
   * Find two people in an image, save the result, open an image without a person, predict a region of it and then the
   * whole image without a search, and lower the threshold of the search.
   */
  async people(context, { model, image, empty, ...given }) {
    const page = await openPage(context, given);
    await page.locator("#model-file").setInputFiles(model);
    await page.locator("#image-file").setInputFiles(image);
    const one = await described(page, "1 person");
    await page.locator("#people").fill("9");
    await page.locator("#people").press("Enter");
    const all = await described(page, "2 people"), limit = await page.locator("#people").inputValue();
    const files = [await saved(page, "#save-image"), await saved(page, "#save-json")];
    await page.locator("#image-file").setInputFiles(empty);
    const none = await described(page, "No person"), label = await page.locator("#image").getAttribute("aria-label");
    const emptyJson = await saved(page, "#save-json");
    await selectRegion(page, none.size[0], [[30, 20], [120, 110]]);
    const selected = await described(page, "1 person"), selectedJson = await saved(page, "#save-json");
    const isDisabled = await page.locator("#threshold").isDisabled();
    await page.locator("#clear-region").click();
    await described(page, "No person");
    await page.locator("#search").uncheck();
    const whole = await described(page, "1 person");
    await page.locator("#search").check();
    await described(page, "No person");
    await page.locator("#people").fill("1");
    await page.locator("#threshold").fill("0");
    const lowered = await described(page, "1 person");
    return { one, all, limit, files, none, label, emptyJson, selected, selectedJson, isDisabled, whole, lowered };
  },

  /** Open a model, then select one of the page in a precision, then open a damaged model and an image. */
  async modelSelection(context, { model, precision, damaged, image, ...given }) {
    const page = await openPage(context, given);
    await predicted(page);
    await page.locator("#model-file").setInputFiles(model);
    const opened = await predicted(page, "sample", model.split("/").at(-1));
    await select(page, precision);
    const selected = await predicted(page, "sample", `final ${precision}`);
    const error = await errorAfter(page, () => page.locator("#model-file").setInputFiles(damaged));
    await page.locator("#image-file").setInputFiles(image);
    return { opened, selected, error, after: await predicted(page, image.split("/").at(-1), `final ${precision}`) };
  },

  /** Pause a video in a window of 1280 x 900 px and seek in it. */
  async seek(context, { video, model, times, ...given }) {
    const page = await openPage(context, given), name = video.split("/").at(-1);
    await page.setViewportSize({ width: 1280, height: 900 });
    await predicted(page);
    await select(page, model);
    await page.locator("#video-file").setInputFiles(video);
    await predicted(page, name, model);
    await page.locator("#pause").click();
    const states = [];
    for (const seconds of times) {
      await page.locator("#seek").fill(String(seconds));
      const ready = (time) => Math.abs(Number(document.getElementById("image").dataset.time) - time) < 1e-3;
      await page.waitForFunction(ready, seconds);
      states.push(await pageState(page));
    }
    const outside = await outsideWindow(page);
    const time = await page.locator("#time").textContent();
    return { states, outside, time, file: (await saved(page, "#save-json")).name };
  },

  /** Predict a video, first with a tracked person, then in the whole image. */
  async video(context, { video, model, ...given }) {
    const page = await openPage(context, given), name = video.split("/").at(-1);
    await predicted(page);
    await select(page, model);
    await page.locator("#video-file").setInputFiles(video);
    const tracked = await predicted(page, name, model, 100); // a search requires 39 or 53 predictions
    await page.locator("#search").uncheck();
    await page.waitForFunction(() => (window.before ??= Number(document.getElementById("runs").textContent)));
    await page.waitForFunction(() => Number(document.getElementById("runs").textContent) > window.before + 3);
    const whole = await pageState(page);
    await page.locator("#pause").click();
    return { tracked, whole, button: await page.locator("#pause").textContent() };
  },

  async camera(context, given) {
    await context.grantPermissions(["camera"]);
    const page = await openPage(context, given);
    await predicted(page);
    await page.locator("#camera").click();
    const state = await predicted(page, "camera", "", 100); // a search requires 39 or 53 predictions
    return { ...state, pressed: await page.locator("#camera").getAttribute("aria-pressed") };
  },

  async deniedCamera(context, given) {
    const page = await openPage(context, given);
    await predicted(page);
    const error = await errorAfter(page, () => page.locator("#camera").click());
    return { error, ...(await pageState(page)) };
  },

  /** Open invalid files and then a valid one. */
  async invalidFiles(context, { files, valid, ...given }) {
    const page = await openPage(context, given);
    await predicted(page);
    const errors = [];
    for (const [input, path] of files) {
      errors.push(await errorAfter(page, () => page.locator(`#${input}`).setInputFiles(path)));
    }
    await page.locator("#model-file").setInputFiles(valid);
    return { errors, after: await predicted(page, "sample", valid.split("/").at(-1)) };
  },

  async withoutModels(context, given) {
    const page = await openPage(context, given);
    await page.waitForFunction(() => document.getElementById("message").textContent);
    await described(page, "Select a model");
    return pageState(page);
  },

  /** Load the page until it is stored for offline use. */
  async store(context, given) {
    const page = await openPage(context, given);
    await page.waitForFunction(() => document.getElementById("offline").textContent);
    return pageState(page);
  },

  /** Open the page without its server, and select another model. */
  async offline(context, { other, ...given }) {
    const page = await openPage(context, given);
    const first = await predicted(page);
    await select(page, other);
    return { first, other: await predicted(page, "sample", other) };
  },

  /** Request another origin from the page and from its workers. */
  async otherOrigin(context, { address, ...given }) {
    const page = await openPage(context, given);
    await predicted(page);
    const request = async (address) => {
      const outcome = (promise) => promise.then(() => "reached", () => "blocked");
      const image = (onload, onerror) => Object.assign(new Image(), { onload, onerror, src: address });
      const requests = [fetch(address, { mode: "no-cors" })];
      if (typeof Image !== "undefined") requests.push(new Promise(image));
      return Promise.all(requests.map(outcome));
    };
    const fromPage = await page.evaluate(request, address);
    const fromWorkers = await Promise.all(page.workers().map((worker) => worker.evaluate(request, address)));
    return { fromPage, fromWorkers };
  },

  /** Try to read or change the page's files from a page of another origin; return what succeeded. */
  async foreignOrigin(context, { url, foreign }) {
    const page = await openPage(context, { url: foreign });
    const reached = await page.evaluate(async (url) => {
      const outcome = (name, promise) => promise.then(() => [name], () => []);
      const element = (tag, file) =>
        new Promise((resolve, reject) => {
          const created = document.createElement(tag);
          Object.assign(created, { onload: resolve, onerror: reject, src: url + file });
          document.body.append(created);
        });
      const read = (options) => fetch(`${url}models/index.json`, options).then((response) => response.text());
      const outcomes = await Promise.all([
        outcome("read", read({})),
        outcome("opaque read", read({ mode: "no-cors" })),
        outcome("image", element("img", "sample.jpg")),
        outcome("script", element("script", "worker.js")),
        outcome("post", read({ method: "POST", body: "x", mode: "no-cors" })),
        outcome("delete", read({ method: "DELETE" })),
      ]);
      return outcomes.flat();
    }, url);
    await page.evaluate((url) => {
      document.body.append(Object.assign(document.createElement("iframe"), { src: url }));
      window.opened = window.open(url);
    }, url);
    await page.waitForFunction(() => window.opened === null || window.opened.closed); // it has lost its opener
    await page.waitForFunction(() => document.querySelector("iframe").contentDocument === null);
    const frame = page.frames().find((frame) => frame !== page.mainFrame());
    return { reached, frame: await frame.evaluate(() => location.href) };
  },

  /**
   * Take screenshots by [width, height, colour scheme]; return by how many px each page is too wide, and which
   * controls the wide ones have outside the window.
   */
  async screenshots(context, { folder, screens, ...given }) {
    const overflow = [], outside = [];
    for (const [width, height, colorScheme] of screens) {
      const page = await openPage(context, given);
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await predicted(page);
      overflow.push(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth));
      outside.push(width < 1000 ? [] : await outsideWindow(page));
      await page.screenshot({ path: `${folder}/${width}-${colorScheme}.png`, fullPage: true });
      await page.close();
    }
    return { overflow, outside };
  },

  /** Open the benchmark's page until it is done or has failed, and with `twice` a second page meanwhile. */
  async benchmark(context, { twice, ...given }) {
    const isDone = () => document.getElementById("progress").hidden;
    const page = await openPage(context, given);
    let second = null;
    if (twice) {
      await page.waitForFunction(() => document.getElementById("message").textContent.startsWith("Measuring"));
      second = await openPage(context, given);
      await second.waitForFunction(isDone);
    }
    await page.waitForFunction(isDone, null, { timeout: 50000 });
    return {
      message: await page.locator("#message").textContent(),
      rows: await page.locator("#rows tr").allTextContents(),
      secure: await page.evaluate(() => window.isSecureContext),
      second: second && (await second.locator("#message").textContent()),
    };
  },
};

const given = JSON.parse(options);
const launchOptions = {
  executablePath,
  args: ["--no-sandbox", ...(given.flags ?? [])],
  viewport: { width: given.width ?? 1000, height: 900 },
};
const context = await chromium.launchPersistentContext(given.profile ?? "", launchOptions);
context.setDefaultTimeout(15000);
const messages = [], otherOrigins = [];
context.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) messages.push(message.text());
});
context.on("weberror", (event) => messages.push(String(event.error())));
context.on("request", (request) => {
  const { origin, protocol } = new URL(request.url());
  if (protocol.startsWith("http") && origin !== new URL(given.url).origin) otherOrigins.push(request.url());
});
try {
  const result = await scenarios[name](context, given);
  process.stdout.write(JSON.stringify({ result, console: messages, otherOrigins }));
} catch (error) {
  const texts = await Promise.all(context.pages().map((page) => page.locator("body").innerText()));
  throw new Error(["the page:", ...texts, "the console:", ...messages].join("\n"), { cause: error });
} finally {
  await context.close();
}
