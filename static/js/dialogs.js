/* Dialogs open by data-opens="id", close by data-closes="id", the backdrop, or Escape; menus (details[data-menu]) close when one looks elsewhere. */

function clicked(event) {
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    openDialog(dialog);
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) document.getElementById(closer.dataset.closes)?.close();
  if (event.target instanceof HTMLDialogElement && isOutside(event.target, event)) event.target.close();
  closeMenus(event.target);
}

export function openDialog(dialog) {
  if (dialog.open) return;
  dialog.showModal();
  dialog.dispatchEvent(new CustomEvent("dialog:opened", { bubbles: true }));
}

function isOutside(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}

function closeMenus(target) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
}

function keyPressed(event) {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
}

/* The button of a dangerous dialog waits for the typed name. */
function typed(event) {
  const input = event.target;
  if (!input.matches?.("[data-must-equal]")) return;
  const wrong = input.value.trim() !== input.dataset.mustEqual;
  input.setCustomValidity(wrong && input.value ? `Type ${input.dataset.mustEqual}` : "");
}

export function startDialogs() {
  document.addEventListener("click", clicked);
  document.addEventListener("keydown", keyPressed);
  document.addEventListener("input", typed);
}
