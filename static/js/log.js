/* A log: lines are appended in chunks that the browser lays out only when they are looked at, so that 20,000 of them stay fast. Filtering and
   searching are asked of the server, which knows all lines; older ones come when one scrolls up. */
import { say } from "./actions.js";
import { fetchText } from "./connection.js";
import { LARGEST_NUMBER, LogLines } from "./log_lines.js";

const FIRST_LINES = 3000;
const PAGE = 1000;
const NEAR_THE_END = 48; // pixels
const TYPING = 250; // milliseconds
const GESTURE = 1000;

export class LogView {
  constructor(element) {
    this.element = element;
    this.url = element.dataset.linesUrl;
    this.pane = element.querySelector(".log-lines");
    this.lines = new LogLines(this.pane, element.dataset.timeZone);
    this.count = element.querySelector("[data-line-count]");
    this.followButton = element.querySelector("[data-follow]");
    this.pauseButton = element.querySelector("[data-pause]");
    this.filters = element.querySelector("form");
    this.last = 0;
    this.generation = 0;
    this.isFollowing = true;
    this.isPaused = false;
    this.isWaiting = null;
    this.listen();
  }

  /* Loads what is to be seen first: the line in the address, the failed step, or else the end. */
  async start({ failedStep, isFinished }) {
    const wanted = this.lineInAddress();
    this.setFollowing(!wanted && !isFinished);
    if (isFinished) this.element.dataset.finished = "true";
    await this.load(wanted ? { after: Math.max(0, wanted - 300) } : { tail: this.isFiltered ? 0 : FIRST_LINES });
    if (wanted) this.showLine(wanted);
    else if (failedStep) this.showStep(failedStep);
    else if (!isFinished) this.toEnd();
  }

  get parameters() {
    return new URLSearchParams([...new FormData(this.filters)].filter(([, value]) => value));
  }

  get isFiltered() {
    return this.parameters.size > 0;
  }

  async load({ after = 0, tail = 0 } = {}) {
    this.generation += 1;
    this.lines.clear();
    this.last = after;
    this.isWaiting = null;
    await this.more(tail);
    this.pane.dataset.empty = String(this.lines.size === 0);
  }

  /* Fetches what comes after the last line. Calls that come meanwhile wait for it, and then look once more. */
  async more(tail = 0) {
    if (this.isWaiting) {
      this.again = true;
      return this.isWaiting;
    }
    const generation = this.generation;
    this.isWaiting = this.fetchMore(generation, tail);
    try {
      await this.isWaiting;
    } finally {
      if (generation === this.generation) this.isWaiting = null;
    }
    if (this.again && generation === this.generation) {
      this.again = false;
      return this.more();
    }
  }

  async fetchMore(generation, tail) {
    let answer;
    do {
      const query = this.parameters;
      query.set("after", this.last);
      if (tail) query.set("tail", tail);
      answer = JSON.parse(await fetchText(`${this.url}?${query}`));
      if (generation !== this.generation) return; // the filter changed meanwhile
      this.lines.append(answer.lines);
      this.last = answer.last;
      tail = 0;
      this.show(answer);
    } while (answer.more);
  }

  show(answer) {
    this.element.querySelector("[data-note]").textContent = answer.problem ?? "";
    if (this.lines.size) this.pane.dataset.empty = "false";
    const total = this.lines.size.toLocaleString("en");
    this.count.textContent = this.isFiltered ? `${total} matching lines` : `${total} lines`;
    if (this.isFollowing) this.toEnd();
    this.lines.highlight(this.parameters.get("q"));
  }

  /* The lines before the first that is there, without moving what one reads. */
  async earlier() {
    const first = this.lines.first;
    if (this.isLoadingEarlier || this.isFiltered || !first || first <= 1 || first > LARGEST_NUMBER) return;
    this.isLoadingEarlier = true;
    try {
      const answer = JSON.parse(await fetchText(`${this.url}?after=${Math.max(0, first - 1 - PAGE)}`));
      const before = this.pane.scrollHeight;
      this.lines.prepend(answer.lines.filter((line) => line.sequence < first));
      this.pane.scrollTop += this.pane.scrollHeight - before;
    } finally {
      this.isLoadingEarlier = false;
    }
  }

  finished(failedStep) {
    if (failedStep && this.isFollowing) this.showStep(failedStep);
    this.setFollowing(false);
    this.element.dataset.finished = "true";
  }

  setFollowing(following) {
    this.isFollowing = following;
    this.followButton?.setAttribute("aria-pressed", String(following));
  }

  toEnd() {
    this.pane.scrollTop = this.pane.scrollHeight;
  }

  isAtEnd() {
    return this.pane.scrollHeight - this.pane.scrollTop - this.pane.clientHeight < NEAR_THE_END;
  }

  lineInAddress() {
    const found = /^#L(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) : 0;
  }

  showLine(number) {
    this.setFollowing(false);
    if (!this.lines.target(number)) say(`Line ${number} is not in this log.`);
  }

  showStep(name) {
    const head = this.lines.headOf(name);
    if (!head) return false;
    this.setFollowing(false);
    this.lines.scrollTo(head, "start");
    return true;
  }

  async jumpToStep(name) {
    if (this.showStep(name)) return;
    const query = new URLSearchParams({ step: name, after: 0 });
    const answer = JSON.parse(await fetchText(`${this.url}?${query}`));
    if (!answer.lines.length) return say("This step has written nothing.");
    this.filters.reset();
    await this.load({ after: Math.max(0, answer.lines[0].sequence - 1) });
    this.showStep(name);
  }

  listen() {
    this.pane.addEventListener("scroll", () => this.scrolled(), { passive: true });
    for (const gesture of ["wheel", "touchmove", "pointerdown", "keydown"]) {
      this.pane.addEventListener(gesture, () => (this.gestureAt = performance.now()), { passive: true });
    }
    new ResizeObserver(() => this.isFollowing && this.toEnd()).observe(this.pane);
    this.followButton?.addEventListener("click", () => {
      this.setFollowing(!this.isFollowing);
      if (this.isFollowing) this.toEnd();
    });
    this.pauseButton?.addEventListener("click", () => this.setPaused(!this.isPaused));
    let timer;
    const refilter = (delay) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.refilter().catch(() => {}), delay);
    };
    this.filters.addEventListener("input", (event) => refilter(event.target.matches("select") ? 0 : TYPING));
    this.filters.addEventListener("submit", (event) => {
      event.preventDefault();
      refilter(0);
    });
    this.pane.addEventListener("click", (event) => this.clicked(event));
    addEventListener("hashchange", () => this.lineInAddress() && this.showLine(this.lineInAddress()));
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-step-log]");
      if (!link || !this.element.dataset.operation) return;
      event.preventDefault();
      this.jumpToStep(link.dataset.stepLog).catch(() => {});
    });
  }

  setPaused(paused) {
    this.isPaused = paused;
    this.pauseButton.setAttribute("aria-pressed", String(paused));
    if (!paused) this.more().catch(() => {});
  }

  /* Only a person's own scrolling changes whether the end is followed, not what layout does by itself. */
  scrolled() {
    if (this.lines.isMoving) return;
    if (performance.now() - (this.gestureAt ?? -Infinity) < GESTURE) {
      const atEnd = this.isAtEnd();
      if (this.isFollowing !== atEnd && (!atEnd || !this.element.dataset.finished)) this.setFollowing(atEnd);
    }
    if (this.pane.scrollTop < 400) this.earlier().catch(() => {});
  }

  async refilter() {
    const query = this.parameters;
    history.replaceState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}${location.hash}`);
    const chosen = this.lineInAddress();
    await this.load(this.isFiltered ? {} : chosen ? { after: Math.max(0, chosen - 300) } : { tail: FIRST_LINES });
    if (chosen && !this.isFiltered) this.showLine(chosen);
    else this.toEnd();
    say(this.count.textContent);
  }

  clicked(event) {
    const link = event.target.closest(".line > a");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", link.getAttribute("href"));
    this.setFollowing(false);
    this.lines.mark(link.parentElement);
  }
}
