/**
 * What cannot wait for the rest of the page, and stands in it whole: its colours, its view, and the
 * search that the address asks for, which is under way while everything else is being loaded.
 */
import { sendAhead } from "./searching.js";
import { wearTheme } from "./theme.js";
import { setView } from "./view.js";

sendAhead();
wearTheme();
setView();
