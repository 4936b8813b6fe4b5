/**
 * Opens a Prefect server in a real Chromium: `node prefect_ui.mjs CHROMIUM SCENARIO OPTIONS`, the options as JSON.
 *
 * Prints {result, otherOrigins}: the scenario's result, and the requested addresses of other origins.
 */

import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../../web/package.json", import.meta.url))("playwright-core");
const [executablePath, name, options] = process.argv.slice(2);

const scenarios = {
  /** From a page of another origin, read the server and post a run in the ways that a browser offers. */
  async foreignPage(page, { foreign, api, deployment, body }) {
    await page.goto(foreign);
    return page.evaluate(async ({ api, deployment, body }) => {
      const send = (path, init) => fetch(`${api}/${path}`, init).then((response) => response.type, String);
      const post = { method: "POST", body: JSON.stringify(body) };
      const create = `deployments/${deployment}/create_flow_run`;
      return {
        read: await send("admin/version", {}),
        json: await send(create, { ...post, headers: { "Content-Type": "application/json" } }),
        simple: await send(create, { ...post, mode: "no-cors" }),
      };
    }, { api, deployment, body });
  },

  /** Log in, open a deployment and start it. */
  async startRun(page, { url, password, deployment }) {
    await page.goto(url);
    await page.locator("input[type=password]").fill(password);
    await page.keyboard.press("Enter");
    await page.getByText("Deployments", { exact: true }).click();
    await page.getByRole("link", { name: deployment }).click();
    await page.getByRole("button", { name: "Run", exact: true }).click();
    const response = page.waitForResponse((one) => one.url().endsWith("/create_flow_run"));
    await page.getByText("Quick run").click();
    return (await response).status();
  },
};

const given = JSON.parse(options);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage();
page.setDefaultTimeout(20000);
const otherOrigins = [];
page.on("request", (request) => {
  const { origin, protocol } = new URL(request.url());
  if (protocol.startsWith("http") && origin !== new URL(given.url).origin) otherOrigins.push(request.url());
});
try {
  const result = await scenarios[name](page, given);
  process.stdout.write(JSON.stringify({ result, otherOrigins }));
} catch (error) {
  throw new Error(`the page: ${await page.locator("body").innerText()}`, { cause: error });
} finally {
  await browser.close();
}
