/* The page of an operation: the steps and the log, live. The websocket only says that there is something new; what it is, is fetched, so that nothing
   gets lost with a connection. Without a websocket it asks every two seconds. */
import { say } from "./actions.js";
import { fetchText } from "./connection.js";
import { LogView } from "./log.js";
import { patch } from "./patch.js";
import { listen } from "./socket.js";

const WITHOUT_SOCKET = 2000;
const WITH_SOCKET = 15000; // an announcement may get lost

/* Runs one question at a time; what is asked meanwhile is asked once more afterwards. */
function oneAtATime(work) {
  let running = null;
  let again = false;
  return async function ask() {
    if (running) {
      again = true;
      return running;
    }
    running = work().finally(() => (running = null));
    await running;
    if (again) {
      again = false;
      return ask();
    }
  };
}

class Steps {
  constructor(section, changed) {
    this.id = section.id;
    this.changed = changed;
    this.title = document.title;
    this.url = section.dataset.stepsUrl ?? `/operations/${section.dataset.operation}/steps/`;
    this.refresh = oneAtATime(() => this.fetch());
    this.showTitle();
  }

  /* By its id: htmx replaces the element when the button in it is pressed. */
  get section() {
    return document.getElementById(this.id);
  }

  get version() {
    return Number(this.section.dataset.version);
  }

  get isFinished() {
    return this.section.dataset.finished === "true";
  }

  async fetch() {
    const text = await fetchText(this.url);
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(this.section.id);
    if (!fresh || Number(fresh.dataset.version) < this.version) return;
    const before = this.states();
    patch(this.section, fresh);
    window.htmx?.process(this.section);
    this.tell(before);
    this.showTitle();
    this.changed(this);
  }

  states() {
    return new Map([...this.section.querySelectorAll(".step")].map((step) => [step.dataset.step, step.dataset.status]));
  }

  /* One sentence for each step that begins or fails, and the end: not every line of the log. */
  tell(before) {
    for (const step of this.section.querySelectorAll(".step")) {
      const { status, step: name } = step.dataset;
      if (before.get(name) === status || !["running", "failed"].includes(status)) continue;
      say(`${step.querySelector(".step-title").textContent.trim()}`);
    }
    if (this.isFinished && this.status !== this.section.dataset.status) say(`Finished: ${this.section.dataset.status}`);
    this.status = this.section.dataset.status;
  }

  showTitle() {
    const percent = this.section.querySelector(".operation-summary progress")?.value ?? 0;
    const sign = { completed: "✓", failed: "✗", cancelled: "■" }[this.section.dataset.status] ?? `${percent} %`;
    document.title = `${sign} ${this.title}`;
  }
}

/* A report that can be sent to somebody who helps: what the page shows, masked as the page is. */
function report(section) {
  const lines = [document.title, location.href.replace(/#.*/, ""), ""];
  for (const step of section.querySelectorAll(".step")) {
    const time = step.querySelector(".step-time").textContent.trim();
    lines.push(`${step.dataset.status.padEnd(10)} ${step.querySelector(".step-title").firstChild.textContent.trim()} ${time}`);
    const failure = step.querySelector(".failure");
    if (failure) lines.push("", failure.innerText.trim(), "");
  }
  return lines.join("\n");
}

function followOperation(section) {
  const element = document.querySelector(`[data-log][data-operation="${section.dataset.operation}"]`);
  const log = element && new LogView(element);
  let timer;
  let socket;

  const steps = new Steps(section, () => {
    document.dispatchEvent(new CustomEvent("operation:changed"));
    if (steps.isFinished) {
      log?.more().then(() => log.finished(steps.section.querySelector(".step[data-status=failed]")?.dataset.step));
      socket?.close();
      clearTimeout(timer);
      document.querySelectorAll("[data-reload-when-finished]").forEach((part) => window.htmx?.trigger(part, "finished"));
    }
  });

  async function askAll() {
    clearTimeout(timer);
    await Promise.allSettled([steps.refresh(), log?.more()]);
    if (!steps.isFinished) timer = setTimeout(askAll, socket?.isOpen ? WITH_SOCKET : WITHOUT_SOCKET);
  }

  const tellReport = (event) => {
    const button = event.target.closest("[data-report]");
    if (button) button.dataset.copy = report(steps.section);
  };
  document.addEventListener("click", tellReport, { capture: true });

  log?.start({ failedStep: section.querySelector(".step[data-status=failed]")?.dataset.step, isFinished: steps.isFinished });
  if (steps.isFinished) return;
  socket = listen(`/ws/operations/${section.dataset.operation}/`, {
    opened: askAll,
    closed: askAll,
    said: (message) => {
      if (message.version > steps.version) steps.refresh().catch(() => {});
      if (message.sequence > (log?.last ?? 0)) log?.more().catch(() => {});
    },
  });
  timer = setTimeout(askAll, WITHOUT_SOCKET);
}

/* The log of something that runs on and on, such as an environment's Odoo. */
function followAlone(element) {
  const log = new LogView(element);
  const url = element.dataset.socketUrl;
  let socket;
  let timer;
  async function ask() {
    clearTimeout(timer);
    if (!document.hidden && !log.isPaused) await log.more().catch(() => {});
    timer = setTimeout(ask, socket?.isOpen ? WITH_SOCKET : WITHOUT_SOCKET);
  }
  log.start({ isFinished: false }).then(ask, ask);
  if (url) socket = listen(url, { opened: ask, closed: ask, said: () => log.more().catch(() => {}) });
  document.addEventListener("visibilitychange", () => !document.hidden && ask());
}

export function startOperation() {
  const section = document.querySelector(".operation-steps[data-operation]");
  if (section) followOperation(section);
  for (const element of document.querySelectorAll("[data-log]:not([data-operation])")) followAlone(element);
}
