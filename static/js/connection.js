/* Says when the platform does not answer, and takes it back when it does again. htmx' failed requests are told beside the content. */
import { say } from "./actions.js";
import { learnPlatformTime } from "./times.js";

let failures = 0;

export function connectionFailed() {
  failures += 1;
  if (failures >= 2) show(true);
}

export function connectionWorks() {
  failures = 0;
  show(false);
}

function show(lost) {
  const note = document.getElementById("connection-lost");
  if (note && note.hidden === lost) note.hidden = !lost;
}

/* Fetches text from our own address. Raises on a lost connection, and on an answer that is not a success. */
export async function fetchText(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, {
      ...options,
      headers: { "X-Requested-With": "fetch", ...options.headers },
      signal: AbortSignal.timeout(15000),
    });
  } catch (error) {
    connectionFailed();
    throw error;
  }
  if (answer.status >= 502) connectionFailed();
  else connectionWorks();
  learnPlatformTime(Date.parse(answer.headers.get("Date")));
  if (answer.redirected && new URL(answer.url).pathname.startsWith("/account/login")) location.reload();
  if (!answer.ok) throw Object.assign(new Error(`Status ${answer.status}`), { status: answer.status });
  return answer.text();
}

function tellFailure(event) {
  const status = event.detail.xhr?.status ?? 0;
  if (status === 401) return location.reload();
  const text =
    status === 403
      ? "You do not have the right to do this."
      : status === 404
        ? "This is not here any more."
        : status
          ? "That did not work. Try again; if it happens again, reload the page."
          : "The platform did not answer. Check your connection and try again.";
  const messages = document.getElementById("messages");
  const alert = document.createElement("div");
  alert.className = "alert alert-error";
  alert.setAttribute("role", "alert");
  alert.textContent = text;
  messages?.replaceChildren(alert);
  say(text);
}

export function startConnection() {
  document.body.addEventListener("htmx:responseError", tellFailure);
  document.body.addEventListener("htmx:sendError", tellFailure);
  addEventListener("offline", () => {
    failures = 2;
    show(true);
  });
  addEventListener("online", connectionWorks);
}
