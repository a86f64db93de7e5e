/* Copying, downloading, pressing twice, buttons that are disabled with a reason. Listens once, on the document, so that parts which htmx swaps in
   work as well. */

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text); // the clipboard API needs HTTPS or loopback
  }
  const use = button.querySelector("use");
  const before = use?.getAttribute("href");
  button.dataset.done = "";
  use?.setAttribute("href", before.replace(/#.*/, "#check"));
  say("Copied");
  setTimeout(() => {
    delete button.dataset.done;
    use?.setAttribute("href", before);
  }, 1500);
}

function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function download(text, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/* Says something to screen readers only. */
export function say(text) {
  let region = document.getElementById("announcements");
  if (!region) {
    region = document.createElement("div");
    region.id = "announcements";
    region.className = "sr-only";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = "";
  requestAnimationFrame(() => (region.textContent = text));
}

function pressed(event) {
  const button = event.target.closest("button, a");
  if (!button) return;
  if (button.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    return;
  }
  const { copy: value, copyFrom, downloadFrom, fileName } = button.dataset;
  if (value !== undefined) copy(button, value);
  if (copyFrom) copy(button, document.getElementById(copyFrom).textContent);
  if (downloadFrom) download(document.getElementById(downloadFrom).textContent, fileName);
}

/* A form that is on its way is not sent again; coming back by the history frees it. */
function submitted(event) {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
}

export function startActions() {
  document.addEventListener("click", pressed);
  document.addEventListener("submit", submitted);
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    }
  });
}
