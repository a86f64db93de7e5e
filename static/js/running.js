/* The counter of running operations in the top bar, and its drawer: asked every few seconds, more often while something runs. */
import { fetchText } from "./connection.js";

const QUIET = 15000;
const BUSY = 3000;
const OPEN = 1500;

export function startRunning() {
  const button = document.querySelector(".operations-button");
  const drawer = document.getElementById("operations-drawer");
  if (!button || !drawer) return;
  let timer;

  async function refresh() {
    clearTimeout(timer);
    if (!document.hidden || drawer.open) await show(button, drawer).catch(() => {});
    const delay = drawer.open ? OPEN : button.dataset.running === "0" ? QUIET : BUSY;
    timer = setTimeout(refresh, delay);
  }

  drawer.addEventListener("dialog:opened", refresh);
  document.addEventListener("visibilitychange", () => !document.hidden && refresh());
  document.addEventListener("operation:changed", refresh);
  timer = setTimeout(refresh, button.dataset.running === "0" ? QUIET : BUSY);
}

async function show(button, drawer) {
  const text = await fetchText(button.dataset.url);
  const content = drawer.querySelector("[data-content]");
  const fresh = new DOMParser().parseFromString(text, "text/html").querySelector("[data-running-count]");
  const count = fresh.dataset.runningCount;
  if (button.dataset.running !== count) {
    button.dataset.running = count;
    button.querySelector("[data-count]").textContent = count;
  }
  if (drawer.open && content.innerHTML !== fresh.innerHTML) {
    const focused = content.contains(document.activeElement) ? document.activeElement.id : "";
    content.replaceChildren(...document.adoptNode(fresh).childNodes);
    if (focused) document.getElementById(focused)?.focus();
  }
}
