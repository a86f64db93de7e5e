/* Search: "/" or Ctrl-K opens it, arrows choose, Enter goes there. */
import { openDialog } from "./dialogs.js";

const palette = document.getElementById("search-palette");

function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable]");
}

function globalKey(event) {
  const wanted = (event.key === "/" && !isTyping(event.target)) || (event.key === "k" && (event.ctrlKey || event.metaKey));
  if (!wanted || event.altKey || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  openDialog(palette);
}

function choose(step) {
  const items = [...palette.querySelectorAll("a.menu-item")];
  if (!items.length) return;
  const now = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  const next = (now + step + items.length) % items.length;
  items.forEach((item, index) => item.setAttribute("aria-selected", String(index === next)));
  items[next].scrollIntoView({ block: "nearest" });
}

function paletteKey(event) {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    choose(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter") {
    const chosen = palette.querySelector('a.menu-item[aria-selected="true"]') ?? palette.querySelector("a.menu-item");
    if (chosen) {
      event.preventDefault();
      location.assign(chosen.href);
    }
  }
}

export function startPalette() {
  if (!palette) return;
  document.addEventListener("keydown", globalKey);
  palette.addEventListener("keydown", paletteKey);
  palette.addEventListener("dialog:opened", () => {
    const input = palette.querySelector("input");
    input.select();
    if (!input.value) input.dispatchEvent(new Event("search")); // shows what can be done from here
  });
}
