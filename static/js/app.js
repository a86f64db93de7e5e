/* What every page has. Each part is a module of its own; all of it only eases what also works as a plain form. */
import { startActions } from "./actions.js";
import { startConnection } from "./connection.js";
import { startDialogs } from "./dialogs.js";
import { startLists } from "./lists.js";
import { startPalette } from "./palette.js";
import { startRunning } from "./running.js";
import { startTabs } from "./tabs.js";
import { startTheme } from "./theme.js";
import { startTimes } from "./times.js";

startActions();
startConnection();
startDialogs();
startLists();
startPalette();
startRunning();
startTabs();
startTheme();
startTimes();

if (document.querySelector("[data-operation], [data-log]")) {
  const { startOperation } = await import("./operation.js");
  startOperation();
}
