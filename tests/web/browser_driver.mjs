/**
 * Drives a real Chromium: `node drive.mjs CHROMIUM SCENARIO OPTIONS`, the options as JSON.
 *
 * Prints {answer, console, elsewhere}: what the scenario gives, errors and warnings of the console, and addresses
 * outside the page's own origin that anything asked for.
 */

import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../web/package.json", import.meta.url))("playwright-core");
const [executablePath, name, options] = process.argv.slice(2);

/** What the page shows. */
async function shown(page) {
  return page.evaluate(() => {
    const text = (id) => document.getElementById(id).textContent;
    const { dataset, width, height } = document.getElementById("picture");
    const labels = [...document.querySelectorAll("fieldset label")];
    return {
      joints: dataset.joints ? JSON.parse(dataset.joints) : null,
      square: dataset.square ? JSON.parse(dataset.square) : null,
      size: [width, height],
      message: text("message"),
      figures: ["p50", "p95", "runs", "rate"].map(text),
      chosen: labels.filter((label) => label.querySelector("input").checked).map((label) => label.textContent),
      offered: labels.map((label) => label.textContent),
      card: text("card"),
      offline: text("offline"),
    };
  });
}

/** Wait until the page has looked some times at a source with a model. */
async function looked(page, source = "sample", model = "", runs = 5) {
  const ready = ([source, model, runs]) =>
    document.getElementById("picture").ariaLabel.startsWith(`${source} with the joints that ${model}`) &&
    Number(document.getElementById("runs").textContent) >= runs;
  await page.waitForFunction(ready, [source, model, runs]);
  return shown(page);
}

async function opened(context, { url }) {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

function choose(page, text) {
  return page.locator("fieldset label", { hasText: new RegExp(`^${text}$`) }).click();
}

/** What the page says is wrong after an action. */
async function complaint(page, action) {
  const before = await page.locator("#message").textContent();
  await action();
  const ready = (before) => {
    const message = document.getElementById("message");
    return message.matches(".bad") && message.textContent !== before;
  };
  await page.waitForFunction(ready, before);
  return page.locator("#message").textContent();
}

const scenarios = {
  /** The sample with each model in turn. */
  async models(context, { models, ...given }) {
    const page = await opened(context, given);
    const first = await looked(page), each = [];
    for (const [variant, precision] of models) {
      await choose(page, variant);
      await choose(page, precision);
      const seen = await looked(page, "sample", `${variant} ${precision}`);
      const png = await page.evaluate(() => document.getElementById("picture").toDataURL().split(",")[1]);
      each.push({ ...seen, png });
    }
    return { first, each };
  },

  /** A picture and a model of one's own, and a square drawn around a part of the picture. */
  async own(context, { picture, model, square, ...given }) {
    const page = await opened(context, given);
    const [pictureName, modelName] = [picture, model].map((path) => path.split("/").at(-1));
    await page.locator("#model-file").setInputFiles(model);
    await page.locator("#picture-file").setInputFiles(picture);
    const found = await looked(page, pictureName, modelName);
    const other = async (than) => {
      const differs = (joints) => document.getElementById("picture").dataset.joints !== joints;
      await page.waitForFunction(differs, JSON.stringify(than.joints));
      return shown(page);
    };
    const box = await page.locator("#picture").boundingBox(), scale = box.width / found.size[0];
    const at = ([x, y]) => [box.x + (x + 0.5) * scale, box.y + (y + 0.5) * scale];
    await page.mouse.move(...at(square[0]));
    await page.mouse.down();
    await page.mouse.move(...at(square[1]), { steps: 3 });
    await page.mouse.up();
    const part = await other(found);
    await page.locator("#no-square").click();
    const again = await other(part);
    await page.locator("#find").uncheck();
    return { found, part, again, whole: await other(again) };
  },

  /** A video, first with the person found and followed from picture to picture, then without. */
  async video(context, { video, model, ...given }) {
    const page = await opened(context, given), name = video.split("/").at(-1);
    await looked(page);
    await choose(page, model);
    await page.locator("#video-file").setInputFiles(video);
    const followed = await looked(page, name, model, 100); // the first search takes 39 or 53
    await page.locator("#find").uncheck();
    await page.waitForFunction(() => (window.before ??= Number(document.getElementById("runs").textContent)));
    await page.waitForFunction(() => Number(document.getElementById("runs").textContent) > window.before + 3);
    const whole = await shown(page);
    await page.locator("#pause").click();
    return { followed, whole, button: await page.locator("#pause").textContent() };
  },

  async camera(context, given) {
    await context.grantPermissions(["camera"]);
    const page = await opened(context, given);
    await looked(page);
    await page.locator("#camera").click();
    const seen = await looked(page, "camera", "", 100); // a search takes 39 or 53
    return { ...seen, pressed: await page.locator("#camera").getAttribute("aria-pressed") };
  },

  async deniedCamera(context, given) {
    const page = await opened(context, given);
    await looked(page);
    const told = await complaint(page, () => page.locator("#camera").click());
    return { told, ...(await shown(page)) };
  },

  /** What is told of each bad file, and that a good one works afterwards. */
  async badFiles(context, { files, good, ...given }) {
    const page = await opened(context, given);
    await looked(page);
    const told = [];
    for (const [input, path] of files) {
      told.push(await complaint(page, () => page.locator(`#${input}`).setInputFiles(path)));
    }
    await page.locator("#model-file").setInputFiles(good);
    return { told, after: await looked(page, "sample", good.split("/").at(-1)) };
  },

  async empty(context, given) {
    const page = await opened(context, given);
    await page.waitForFunction(() => document.getElementById("message").textContent);
    return shown(page);
  },

  /** Loaded until it says that it is kept on this device. */
  async kept(context, given) {
    const page = await opened(context, given);
    await page.waitForFunction(() => document.getElementById("offline").textContent);
    return shown(page);
  },

  /** Opened again without its server, and another model chosen. */
  async offline(context, { other, ...given }) {
    const page = await opened(context, given);
    const first = await looked(page);
    await choose(page, other);
    return { first, other: await looked(page, "sample", other) };
  },

  /** What page and runtime's thread get when they ask for something elsewhere. */
  async privacy(context, { elsewhere, ...given }) {
    const page = await opened(context, given);
    await looked(page);
    const ask = async (address) => {
      const outcome = (promise) => promise.then(() => "reached", () => "refused");
      const image = (onload, onerror) => Object.assign(new Image(), { onload, onerror, src: address });
      const asked = [fetch(address, { mode: "no-cors" })];
      if (typeof Image !== "undefined") asked.push(new Promise(image));
      return Promise.all(asked.map(outcome));
    };
    const answers = await page.evaluate(ask, elsewhere);
    const threads = await Promise.all(page.workers().map((worker) => worker.evaluate(ask, elsewhere)));
    return { answers, threads };
  },

  /** Pictures of the page as [width, height, colour scheme] say; px by which each is too wide. */
  async screenshots(context, { folder, screens, ...given }) {
    const overflow = [];
    for (const [width, height, colorScheme] of screens) {
      const page = await opened(context, given);
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await looked(page);
      overflow.push(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth));
      await page.screenshot({ path: `${folder}/${width}-${colorScheme}.png`, fullPage: true });
      await page.close();
    }
    return overflow;
  },

  /** The benchmark's page, until it says that it is done or what is wrong; `twice`: another page opens it too. */
  async benchmark(context, { twice, ...given }) {
    const ended = () => document.getElementById("progress").hidden;
    const page = await opened(context, given);
    let second = null;
    if (twice) {
      await page.waitForFunction(() => document.getElementById("message").textContent.startsWith("Measuring"));
      second = await opened(context, given);
      await second.waitForFunction(ended);
    }
    await page.waitForFunction(ended, null, { timeout: 50000 });
    return {
      message: await page.locator("#message").textContent(),
      rows: await page.locator("#rows tr").allTextContents(),
      secure: await page.evaluate(() => window.isSecureContext),
      second: second && (await second.locator("#message").textContent()),
    };
  },
};

const given = JSON.parse(options);
const settings = {
  executablePath,
  args: ["--no-sandbox", ...(given.flags ?? [])],
  viewport: { width: given.width ?? 1000, height: 900 },
};
const context = await chromium.launchPersistentContext(given.profile ?? "", settings);
context.setDefaultTimeout(15000);
const console_ = [], elsewhere = [];
context.on("console", (line) => {
  if (["error", "warning"].includes(line.type())) console_.push(line.text());
});
context.on("weberror", (event) => console_.push(String(event.error())));
context.on("request", (request) => {
  const { origin, protocol } = new URL(request.url());
  if (protocol.startsWith("http") && origin !== new URL(given.url).origin) elsewhere.push(request.url());
});
try {
  const answer = await scenarios[name](context, given);
  process.stdout.write(JSON.stringify({ answer, console: console_, elsewhere }));
} catch (error) {
  const texts = await Promise.all(context.pages().map((page) => page.locator("body").innerText()));
  throw new Error(["the page says:", ...texts, "the console says:", ...console_].join("\n"), { cause: error });
} finally {
  await context.close();
}
