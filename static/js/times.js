/* Keeps "3 minutes ago" true while a page stays open, and lets running durations tick (data-since and data-elapsed-since: the
   beginning). */

const UNITS = [
  ["year", 31536000],
  ["month", 2592000],
  ["week", 604800],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

let skew = 0;

/* The platform's clock, in milliseconds, as well as this machine knows. */
export function platformNow() {
  return Date.now() + skew;
}

/* Corrects the clock by an answer's own time, which is in whole seconds: a difference that small says nothing. */
export function learnPlatformTime(milliseconds) {
  if (!Number.isFinite(milliseconds)) return;
  const difference = milliseconds - Date.now();
  if (Math.abs(difference - skew) > 3000) skew = Math.abs(difference) > 3000 ? difference : 0;
}

export function relative(milliseconds) {
  const seconds = Math.round((platformNow() - milliseconds) / 1000);
  if (seconds > -60 && seconds < 60) return "just now";
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  const count = Math.floor(Math.abs(seconds) / size);
  const text = `${count}\u00a0${unit}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/* Seconds as the server writes them: 4.2 s, 12 s, 3 min 5 s, 2 h 10 min. */
export function duration(seconds) {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

function refreshRelative() {
  for (const time of document.querySelectorAll("main time[datetime][title]:not([data-exact])")) {
    const text = relative(Date.parse(time.dateTime));
    if (time.textContent !== text && / ago$|^just now$|^in /.test(time.textContent)) time.textContent = text;
  }
}

function tick() {
  for (const element of document.querySelectorAll("[data-since], [data-elapsed-since]")) {
    const since = Date.parse(element.dataset.since ?? element.dataset.elapsedSince);
    if (Number.isFinite(since)) element.textContent = duration((platformNow() - since) / 1000);
  }
}

export function startTimes() {
  setInterval(refreshRelative, 30000);
  setInterval(tick, 1000);
}
