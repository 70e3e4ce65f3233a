// The offers, grouped by GPU, and the map of what is left above them.

import { at, cell, dollars, increase, make, number, plural, show, small, table } from "./dom.js";
import { ask } from "./service.js";
import { asCurl, asDstack, filter, parseGpu, writeAddress } from "./search.js";

const PAGE = 10;
const MOST_ROWS = 60;
const OTHERS = ["no_quota", "unknown", "not_available"];

let guarded = (work) => work();
let tellQuotas = () => {};
let cells = [];
let cursors = new Map();
let asked = 0;

// Asks for everything that the search is about, and shows it.
export async function search() {
  const mine = ++asked;
  const query = filter();
  const summary = await ask("offers/summary?" + query);
  tellQuotas(summary.quotas);
  if (mine !== asked) return;
  cells = summary.cells;
  names("gpu-names", cells.map((one) => one.gpu));
  names("region-names", cells.map((one) => one.region));
  showUnknown(summary.unknown_names ?? []);
  showMap();
  const groups = grouped();
  show(at("groups"), groups.length ? groups.map(group) : make("p", { class: "dim" }, "No offer matches."));
  const isNarrow = parseGpu(at("gpu").value).names.length > 0;
  const details = [...at("groups").querySelectorAll("details")];
  // Of a search for everything only the first is open, until somebody opens others.
  details.forEach((one, place) => {
    if (one.dataset.seen === undefined) one.open = isNarrow || place === 0;
    one.dataset.seen = "";
  });
  await Promise.all(details.filter((one) => one.open).map(fill));
}

function names(id, all) {
  const known = [...new Set(all)].sort();
  // A narrow search would leave nothing else to choose.
  if (known.length < at(id).children.length) return;
  show(at(id), known.map((name) => make("option", { value: name })));
}

function showUnknown(unknown) {
  show(at("unknown"), unknown.map((one) => {
    const field = { gpu: "gpu", region: "region" }[one.parameter];
    const button = one.did_you_mean && field
      ? make("button", { type: "button", "data-field": field, "data-name": one.name }, one.did_you_mean) : null;
    return make("span", {}, "No " + one.parameter.replace("_", " ") + " is called " + one.name + ". ",
      button ? "Did you mean " : null, button, button ? "? " : null);
  }));
}

// ---- groups

function grouped() {
  const groups = new Map();
  for (const one of cells) {
    const known = groups.get(one.gpu) ?? { gpu: one.gpu, offers: 0, available: 0, regions: 0, price: null };
    known.offers += one.offers;
    known.available += one.available;
    known.regions += one.available > 0 ? 1 : 0;
    if (one.price_per_gpu !== null) known.price = Math.min(known.price ?? Infinity, one.price_per_gpu);
    groups.set(one.gpu, known);
  }
  const all = [...groups.values()].filter((one) => !at("fits").checked || one.available > 0);
  return all.sort((a, b) => (b.available > 0) - (a.available > 0) || a.gpu.localeCompare(b.gpu));
}

function group(one) {
  const fits = one.available > 0
    ? make("span", { class: "good" }, plural(one.available, "offer") + " fit" + (one.available === 1 ? "s" : "") + " in " + plural(one.regions, "region"))
    : make("span", { class: "bad" }, "nothing is known to fit");
  const price = one.price === null ? null : make("span", {}, "from " + dollars(one.price) + " a GPU an hour");
  const details = make("details", { class: "group", "data-key": one.gpu, "data-gpu": one.gpu },
    make("summary", {}, make("h3", {}, one.gpu), fits, price, make("span", { class: "dim" }, plural(one.offers, "offer"))),
    make("div", { "data-own": "" }));
  details.addEventListener("toggle", () => { if (details.open && details.isConnected) guarded(() => fill(details)); });
  return details;
}

// What fits comes first, the cheapest before all; then the rest, each a page at a time.
async function fill(details) {
  const mine = asked;
  const query = filter();
  const text = query + (at("fits").checked ? "&fits" : "");
  const known = cursors.get(details.dataset.gpu);
  const pages = known?.text === text ? known.pages : 1;
  const state = { text, pages, offers: [], cursor: null, rest: !at("fits").checked, fitting: true, more: true };
  for (let page = 0; page < pages && state.more; page++) await turn(details.dataset.gpu, query, state);
  if (mine !== asked) return;
  cursors.set(details.dataset.gpu, state);
  showGroup(details, query, state);
}

async function turn(gpu, query, state) {
  const wanted = state.offers.length + PAGE;
  while (state.more && state.offers.length < wanted) {
    const page = new URLSearchParams(query);
    page.set("gpu", gpu);
    page.set("limit", wanted - state.offers.length);
    for (const word of state.fitting ? ["available"] : OTHERS) page.append("availability", word);
    if (state.cursor) page.set("cursor", state.cursor);
    const answer = await ask("offers?" + page);
    state.offers.push(...answer.offers);
    state.cursor = answer.next_cursor;
    if (state.cursor) continue;
    state.more = state.fitting && state.rest;
    state.fitting = false;
  }
}

function showGroup(details, query, state) {
  const more = state.more ? make("p", {}, make("button", { type: "button", class: "more" }, "Show more")) : null;
  show(details.lastElementChild, table(details.dataset.gpu + " offers",
    [["Offer"], ["Place"], ["GPUs"], ["Price an hour", "number"], ["Launches left", "number"], ["Can it start"]],
    state.offers.map(row)), more);
  const button = details.querySelector("button.more");
  if (button) button.onclick = () => guarded(async () => {
    state.pages += 1;
    await turn(details.dataset.gpu, query, state);
    showGroup(details, query, state);
  });
}

const LOOK = { available: "good", no_quota: "bad", not_available: "warn" };

function row(offer) {
  const { gpu, quota } = offer;
  const launchable = offer.launchable === null ? "?" : (quota.basis === "limit" ? "≤ " : "") + offer.launchable;
  const reasons = [offer.availability === "available" ? null : quota.reason, offer.restriction?.reason, offer.unavailable?.reason];
  const ask = offer.availability === "no_quota" ? increase(quota) : null;
  const old = quota.freshness && quota.freshness !== "fresh" ? quota.freshness : null;
  return make("tr", { "data-key": [offer.backend, offer.region, offer.instance_type, offer.spot, gpu.count].join(" ") },
    cell(offer.instance_type, small(offer.spot ? "spot" : "on-demand")),
    cell(offer.region, small(offer.backend)),
    cell(gpu.count + " × " + gpu.name, gpu.memory_gb ? small(gpu.memory_gb + " GB each") : null),
    number("price", dollars(offer.price, offer.price_basis), small(offer.price_basis)),
    number("launches left", launchable),
    cell(make("span", { class: LOOK[offer.availability] ?? "dim" }, offer.availability.replace("_", " ")),
      reasons.filter(Boolean).map((reason) => small(reason)), old ? small(old) : null, ask));
}

// ---- map

function showMap() {
  const gpus = [...new Set(cells.map((one) => one.gpu))].sort();
  const places = new Map();
  for (const one of cells) {
    const key = one.backend + "/" + one.region;
    const place = places.get(key) ?? { key, backend: one.backend, region: one.region, total: 0, by: new Map() };
    place.by.set(one.gpu, one);
    place.total += one.available;
    places.set(key, place);
  }
  const sorted = [...places.values()].sort((a, b) => b.total - a.total || a.key.localeCompare(b.key));
  const head = make("tr", {}, make("th", { scope: "col" }, "Region"), gpus.map((gpu) => make("th", { scope: "col" }, gpu)));
  const rows = sorted.slice(0, MOST_ROWS).map((place) => make("tr", { "data-key": place.key },
    make("th", { scope: "row" }, place.region, small(place.backend)),
    gpus.map((gpu) => make("td", {}, square(place, gpu)))));
  show(at("map"), sorted.length ? make("table", { class: "map" }, make("caption", { class: "hidden" }, "GPUs left by region"),
    make("thead", {}, head), make("tbody", {}, rows)) : make("p", { class: "dim" }, "No offer matches."));
  at("map-note").textContent = sorted.length > MOST_ROWS ? MOST_ROWS + " of " + sorted.length + " regions; a search shows others" : "";
  const squares = [...at("map").querySelectorAll("button")];
  if (!squares.some((one) => one.tabIndex === 0) && squares[0]) squares[0].tabIndex = 0;
}

function square(place, gpu) {
  const one = place.by.get(gpu);
  if (!one) return null;
  const left = one.available > 0 ? one.gpus : one.launchable === null ? null : 0;
  const look = left === null ? "" : left >= 32 ? "many" : left >= 8 ? "some" : left > 0 ? "few" : "";
  const text = left === null ? "?" : left >= 1e6 ? "∞" : String(left);
  const told = left === null ? "unknown" : left === 0 ? "none left" : text + " GPUs left";
  return make("button", { type: "button", class: look, tabindex: -1, "data-gpu": gpu, "data-region": place.region,
    "aria-label": gpu + " in " + place.key + ": " + told }, text);
}

function moved(event) {
  const from = event.target.closest("button");
  const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
  if (!from || !step) return;
  event.preventDefault();
  const rows = [...at("map").querySelectorAll("tbody tr")];
  let y = rows.indexOf(from.closest("tr"));
  let x = from.closest("td").cellIndex;
  do {
    y += step[0];
    x += step[1];
    const next = rows[y]?.cells[x];
    if (!next || x < 1) return;
    const button = next.querySelector("button");
    if (!button) continue;
    from.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
    return;
  } while (true);
}

// ---- what a person does

let needsToken = false;

export function tellOfToken(needed) { needsToken = needed; }

async function copy(text) {
  at("copy-text").textContent = text;
  at("copy-text").hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    at("copied").textContent = "copied";
  } catch {
    // Without HTTPS a page may not.
    getSelection().selectAllChildren(at("copy-text"));
    at("copied").textContent = "selected; copy it with the keyboard";
  }
}

export function start(guard, quotasTold) {
  guarded = guard;
  tellQuotas = quotasTold;
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    writeAddress(true);
    for (const one of at("groups").querySelectorAll("details")) delete one.dataset.seen;
    guarded(search);
  });
  at("fits").addEventListener("input", () => at("search").requestSubmit());
  at("market").addEventListener("input", () => at("search").requestSubmit());
  // On the whole, since an update keeps elements and gives them other names.
  at("unknown").addEventListener("click", ({ target }) => {
    const field = target.dataset.field;
    if (!field) return;
    at(field).value = at(field).value.replace(target.dataset.name, target.textContent);
    at("search").requestSubmit();
  });
  at("copy-curl").addEventListener("click", () => copy(asCurl(needsToken)));
  at("copy-dstack").addEventListener("click", () => copy(asDstack()));
  at("map").addEventListener("keydown", moved);
  at("map").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const counts = /:\d[\d.]*$/.exec(at("gpu").value)?.[0] ?? "";
    at("gpu").value = button.dataset.gpu + counts;
    at("region").value = button.dataset.region;
    at("search").requestSubmit();
    at("offers").focus({ preventScroll: true });
    at("offers").scrollIntoView();
  });
}
