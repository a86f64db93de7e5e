/* The lines of a log as elements: chunks of a few hundred, each laid out only when it comes near the view. */

const CHUNK = 100;
const MOST_LINES = 20000;
const LINE_HEIGHT = 20;
const MOST_MARKS = 2000;
export const LARGEST_NUMBER = 1e9; // above it a line is named by its time, which is not shown as a number

export class LogLines {
  constructor(pane, timeZone) {
    this.pane = pane;
    this.time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: timeZone || "UTC" });
    this.titles = new Map();
    this.clear();
  }

  clear() {
    this.pane.replaceChildren();
    this.size = 0;
    this.first = 0;
    this.lastStep = null;
  }

  append(lines) {
    if (!lines.length) return;
    if (!this.size) this.first = lines[0].sequence;
    let rest = lines;
    while (rest.length) {
      let chunk = this.pane.lastElementChild;
      if (!chunk || chunk.lineCount >= CHUNK) chunk = this.pane.appendChild(newChunk());
      const part = rest.slice(0, CHUNK - chunk.lineCount);
      rest = rest.slice(part.length);
      chunk.append(this.build(part, (step) => this.begins(step)));
      grow(chunk, part.length);
      this.size += part.length;
    }
    this.forget();
  }

  /* Lines before the first. */
  prepend(lines) {
    if (!lines.length) return;
    let step = null;
    const begins = (name) => name !== step && ((step = name), true);
    for (let start = Math.floor((lines.length - 1) / CHUNK) * CHUNK; start >= 0; start -= CHUNK) {
      const part = lines.slice(start, start + CHUNK);
      const chunk = newChunk();
      step = lines[start - 1]?.step ?? null;
      chunk.append(this.build(part, begins));
      grow(chunk, part.length);
      this.pane.prepend(chunk);
    }
    this.first = lines[0].sequence;
    this.size += lines.length;
  }

  begins(step) {
    const changed = step !== this.lastStep;
    this.lastStep = step;
    return changed;
  }

  build(lines, begins) {
    const fragment = document.createDocumentFragment();
    for (const line of lines) {
      if (line.step && begins(line.step)) fragment.append(this.head(line.step));
      fragment.append(this.line(line));
    }
    return fragment;
  }

  head(step) {
    const head = document.createElement("div");
    head.className = "line-step";
    head.dataset.step = step;
    head.textContent = this.titleOf(step);
    return head;
  }

  titleOf(step) {
    if (!this.titles.has(step)) {
      const row = document.getElementById(`step-${step}`)?.querySelector(".step-title");
      this.titles.set(step, row?.firstChild.textContent.trim() || step);
    }
    return this.titles.get(step);
  }

  line({ sequence, level, text, at, time: when = at }) {
    const line = document.createElement("div");
    line.className = "line";
    line.dataset.level = (level || "info").toLowerCase();
    const number = document.createElement("a");
    if (Number.isInteger(sequence)) {
      line.id = `L${sequence}`;
      number.href = `#L${sequence}`;
      number.textContent = sequence > LARGEST_NUMBER ? "#" : sequence;
    }
    const time = document.createElement("time");
    if (when) {
      time.dateTime = when;
      time.textContent = this.time.format(new Date(when));
    }
    const words = document.createElement("span");
    words.textContent = text;
    line.append(number, time, words);
    return line;
  }

  /* Keeps the newest lines only: the whole is in the download. */
  forget() {
    while (this.size > MOST_LINES + CHUNK && this.pane.firstElementChild !== this.pane.lastElementChild) {
      const chunk = this.pane.firstElementChild;
      this.size -= chunk.lineCount;
      chunk.remove();
    }
    const first = this.pane.querySelector(".line[id]");
    if (first) this.first = Number(first.id.slice(1));
  }

  headOf(step) {
    return this.pane.querySelector(`.line-step[data-step="${CSS.escape(step)}"]`);
  }

  target(number) {
    const line = document.getElementById(`L${number}`);
    if (!line) return false;
    this.mark(line);
    this.scrollTo(line, "center");
    return true;
  }

  mark(line) {
    this.pane.querySelector(".line.is-target")?.classList.remove("is-target");
    line.classList.add("is-target");
  }

  /* Chunks that were never laid out have estimated heights: the place is right on the second look. Scrolls the pane only, not the page. */
  scrollTo(element, place) {
    this.isMoving = true;
    const go = () => {
      const box = element.getBoundingClientRect();
      const pane = this.pane.getBoundingClientRect();
      const offset = place === "center" ? (pane.height - box.height) / 2 : 0;
      this.pane.scrollTop += box.top - pane.top - offset;
    };
    go();
    requestAnimationFrame(() => {
      go();
      requestAnimationFrame(() => {
        go();
        setTimeout(() => (this.isMoving = false), 50);
      });
    });
  }

  /* Marks the words that were searched for, without touching the elements. */
  highlight(words) {
    if (!window.Highlight) return;
    CSS.highlights.delete("found");
    if (!words) return;
    const ranges = [];
    const needle = words.toLowerCase();
    for (const span of this.pane.querySelectorAll(".line > span")) {
      const text = span.firstChild?.nodeValue?.toLowerCase() ?? "";
      for (let at = text.indexOf(needle); at >= 0 && ranges.length < MOST_MARKS; at = text.indexOf(needle, at + needle.length)) {
        const range = new Range();
        range.setStart(span.firstChild, at);
        range.setEnd(span.firstChild, at + needle.length);
        ranges.push(range);
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }
}

function newChunk() {
  const chunk = document.createElement("div");
  chunk.className = "log-chunk";
  chunk.lineCount = 0;
  return chunk;
}

function grow(chunk, lines) {
  chunk.lineCount += lines;
  chunk.style.containIntrinsicHeight = `auto ${chunk.lineCount * LINE_HEIGHT}px`;
}
