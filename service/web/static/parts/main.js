/** Puts the parts together: the state says what is shown, and every change of it comes through here. */
import { ServiceError, askJson, readiness } from "./api.js";
import { asks, searchKey } from "./address.js";
import { chips } from "./chips.js";
import { renderFacets } from "./facets.js";
import { h } from "./dom.js";
import { holdingsWords, renderCollections, renderExamples } from "./home.js";
import { fillWords, mountLanguage, t } from "./language.js";
import { mountKeyboard } from "./keyboard.js";
import { mountMapView } from "./map/view.js";
import { errorNotice, notice } from "./notices.js";
import { mountPromptPanel } from "./prompt_panel.js";
import { mountRecordView } from "./record_view.js";
import { MOST_SHOWN } from "./paging.js";
import { PAGE_SIZE, searchRequest } from "./request.js";
import { appendResults, renderResults, summary } from "./results.js";
import { mountSearchBox } from "./search_box.js";
import { beginSearch } from "./searching.js";
import { onState, state } from "./state.js";
import { painted, say, watched } from "./status.js";
import { mountTheme } from "./theme_button.js";
import { mountUpload } from "./upload.js";
import { setView } from "./view.js";
import { passes, whenReady } from "./waiting.js";

const place = (id) => document.getElementById(id);
let indexes = [];
let reply = null;
const NO_HITS = [];
let running = null;

const box = mountSearchBox(place("search"));
const mapView = mountMapView(place("map"), () => indexes, () => reply?.hits ?? NO_HITS);
const recordView = mountRecordView(place("record"), () => reply?.hits ?? []);
const promptPanel = mountPromptPanel(place("prompt"));
const languageButton = mountLanguage(place("language"), drawAll);
const themeButton = mountTheme(place("theme"));
mountUpload(place("dropping"));
mountKeyboard();

onState((now, before) => {
  if (searchKey(now) !== searchKey(before)) {
    box.render();
    void showSearch();
  }
  void mapView.render();
  void recordView.render();
  promptPanel.render();
});

/** Draw everything anew in another language. */
function drawAll() {
  drawFrame();
  drawHoldings();
  drawReply();
  void mapView.redraw();
  void recordView.redraw();
  promptPanel.redraw();
}

/** Draw what needs no service: the page can be used from here on. */
function drawFrame() {
  fillWords();
  languageButton.render();
  themeButton.render();
  box.render();
}

function drawHoldings() {
  place("holdings").textContent = indexes.length ? holdingsWords(indexes) : "";
  place("synthetic").hidden = !indexes.some(({ synthetic }) => synthetic);
  renderCollections(place("collections"), indexes);
  place("collections").hidden = indexes.length === 0;
}

function drawReply() {
  setView();
  const idle = !asks(state());
  place("examples").hidden = !idle;
  if (idle) renderExamples(place("examples"), indexes);
  renderFacets(place("facets"), reply?.facets);
  if (reply) renderResults(place("results"), reply, loadMore);
  else place("results").replaceChildren();
}

async function showSearch() {
  running?.stop.abort();
  running = null;
  place("notices").replaceChildren();
  if (!asks(state())) {
    reply = null;
    document.title = "medsearch";
    drawReply();
    return;
  }
  document.title = state().q ? `${state().q} · medsearch` : "medsearch";
  setView();
  place("examples").hidden = true;
  const search = beginSearch();
  running = search;
  if (!search.reply) {
    reply = null;
    drawReply();
    place("notices").replaceChildren(notice("calm", t("picture_gone"), h("p", {}, t("picture_gone_long"))));
    return;
  }
  place("results").setAttribute("aria-busy", "true");
  try {
    const found = await watched(search.reply, t("working"));
    reply = found;
    drawReply();
    if (indexes.length) void mapView.render(); // else once they are listed
    say(summary(found));
  } catch (error) {
    if (error.name === "AbortError") return;
    fail(error);
  } finally {
    if (running === search) place("results").removeAttribute("aria-busy");
  }
}

/** Fetch the next page; return "end" or "full" when there is nothing to follow. */
async function loadMore() {
  const shown = reply;
  const request = searchRequest(state(), shown.hits.length);
  const next = await watched(askJson(request.path, { body: request.body, signal: running.stop.signal }), t("working"));
  if (shown !== reply) return "end";
  shown.hits.push(...next.hits);
  appendResults(place("results"), next);
  place("count").textContent = summary(shown);
  say(summary(shown));
  if (shown.hits.length >= MOST_SHOWN) return "full";
  return next.hits.length < PAGE_SIZE ? "end" : "";
}

/** Show what went wrong; where waiting helps, wait and ask again. */
function fail(error) {
  if (!(error instanceof ServiceError)) throw error; // a mistake of the page's own
  reply = null;
  drawReply();
  const narrowing = chips(); // so that what was refused can be taken away
  if (narrowing) place("results").replaceChildren(narrowing);
  const retry = () => void start();
  place("notices").replaceChildren(errorNotice(error, retry));
  if (passes(error)) whenReady("search", retry);
}

async function start() {
  try {
    await showSearch();
    if (reply) await painted(); // what is only shown around the results can wait
    const [listed, ready] = await watched(Promise.all([askJson("/v1/indexes"), readiness()]), t("working"));
    indexes = listed.indexes;
    drawHoldings();
    void mapView.render();
    if (asks(state())) return;
    drawReply();
    if (ready !== "ready") {
      place("notices").replaceChildren(waitingNotice());
      whenReady("search", () => void start());
    } else place("notices").replaceChildren(...listed.problems.map(problemNotice));
  } catch (error) {
    if (!(reply && error instanceof ServiceError)) fail(error); // else the results stand without what is around them
  }
}

/** Why nothing can be searched yet: nothing was built, or the encoders are on their way. */
function waitingNotice() {
  const [message, remedy] = indexes.length ? [t("encoders_loading"), ""] : [t("no_indexes"), t("no_indexes_remedy")];
  return errorNotice({ status: 503, code: "not_ready", message, remedy, details: [] });
}

function problemNotice(problem) {
  return notice("calm", t("index_problem", { name: problem.index ?? "" }), h("p", {}, problem.message));
}

drawFrame();
void start();
void recordView.render();
promptPanel.render();
