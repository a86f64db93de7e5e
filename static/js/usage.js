// Plots of what was allocated over time. The numbers stand in the page as JSON; the same numbers as a table stand below.
import uPlot from "../build/uPlot.js";

const HEIGHT = 180;

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(name).trim();
  return { line: read("--color-primary"), limit: read("--color-error"), text: read("--color-neutral"), grid: read("--color-base-300") };
}

function optionsFor(chart, width) {
  const { line, limit, text, grid } = colours();
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  const series = [{}, { label: "Allocated", stroke: line, width: 2, fill: `color-mix(in oklab, ${line} 15%, transparent)`, points: { show: false } }];
  if (chart.limit !== null) {
    series.push({ label: "Quota", stroke: limit, width: 1, dash: [6, 4], points: { show: false } });
  }
  const highest = Math.max(1, chart.limit ?? 0, ...chart.values);
  return { title: chart.title, width, height: HEIGHT, series, axes: [axis, { ...axis, size: 56 }], scales: { y: { range: [0, highest * 1.05] } } };
}

function draw(box) {
  const data = JSON.parse(document.getElementById(box.dataset.usage).textContent);
  // All of them before the first is drawn: their widths depend on how many there are.
  const figures = data.charts.map((chart) => {
    const figure = document.createElement("figure");
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", `${chart.title}: ${chart.values.at(-1)} at the end of the period`);
    return figure;
  });
  box.replaceChildren(...figures);
  for (const [index, chart] of data.charts.entries()) {
    const figure = figures[index];
    const values = [data.times, chart.values];
    if (chart.limit !== null) {
      values.push(data.times.map(() => chart.limit));
    }
    new uPlot(optionsFor(chart, figure.clientWidth), values, figure);
  }
}

for (const box of document.querySelectorAll("[data-usage]")) {
  let width = 0;
  new ResizeObserver(() => {
    if (box.clientWidth !== width) {
      width = box.clientWidth;
      draw(box);
    }
  }).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(box));
}
