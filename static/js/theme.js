/* The theme changes at once, and is stored for the person. Without this the form reloads the page. */
export function startTheme() {
  for (const form of document.querySelectorAll("form[data-theme-switch]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation();
      const button = event.submitter;
      const body = new FormData(form);
      body.set("theme", button.value);
      if (button.value === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = button.value;
      for (const other of form.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
      fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => {});
    });
  }
}
