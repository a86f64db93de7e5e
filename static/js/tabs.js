/* On a narrow screen the tabs scroll sideways: the current one is brought into view. */
export function startTabs() {
  for (const tab of document.querySelectorAll(".tabs > [aria-current]")) {
    const row = tab.parentElement;
    row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.clientWidth) / 2;
  }
}
