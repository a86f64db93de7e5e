/* Lists: a form with data-filters sends itself while one types or chooses; what it filters (data-target) is replaced in place, and the address
   follows. Without this the form has its button. */
import { fetchText } from "./connection.js";

let latest = 0;

async function refresh(form) {
  const query = new URLSearchParams(new FormData(form));
  for (const [name, value] of [...query]) if (!value) query.delete(name);
  const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
  const turn = ++latest;
  const text = await fetchText(address);
  if (turn !== latest) return;
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(form.dataset.target);
  const old = document.getElementById(form.dataset.target);
  if (!fresh || !old) return location.assign(address);
  old.replaceWith(document.adoptNode(fresh));
  history.replaceState(null, "", address);
}

export function startLists() {
  let timer;
  const later = (form, delay) => {
    clearTimeout(timer);
    timer = setTimeout(() => refresh(form).catch(() => form.submit()), delay);
  };
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-filters]");
    if (form) later(form, event.target.matches("select") ? 0 : 200);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-filters]");
    if (!form) return;
    event.preventDefault();
    later(form, 0);
  });
  for (const button of document.querySelectorAll("form[data-filters] button:not([type=button])")) button.hidden = true;
}
