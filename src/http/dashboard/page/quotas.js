// The quotas: sortable, the tightest first. They are many, so they are loaded when somebody comes
// near them, a backend at a time, and from then on a region at a time.

import { amount, at, cell, increase, make, marketName, number, show, small, unitName } from "./dom.js";
import { ask } from "./service.js";
import { writeAddress } from "./search.js";

const PAGE = 100;
const AT_ONCE = 4;
const HEADS = [["Place", "place"], ["Quota", "name"], ["In use", "used"], ["Used", "usage", "number"], ["Limit", "limit", "number"], ["Free", "available", "number"]];

let backends = [];
let gpus = new Map();
const regions = new Map();
const contradictions = new Map();
let rows = [];
let shown = PAGE;
let sort = { by: "used", down: true };
let loaded = false;
// Somebody has come near.
let wanted = false;

export const isLoaded = () => loaded;
export const contradicted = () => [...contradictions.values()].flatMap((one) => one.all);

// Takes up the backends, and below which GPUs the offers have that draw on each quota.
export function know(overview) {
  backends = overview.backends;
}

export function name(quotas) {
  gpus = new Map(quotas.map((one) => [[one.backend, one.service, one.code].join("\n"), one.gpus]));
}

let loading = null;

export function load() {
  loaded = true;
  loading ??= loadAll(backends).finally(() => { loading = null; });
  return loading;
}

async function loadAll(some) {
  const waiting = [...some];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const backend = await ask("quotas/" + encodeURIComponent(next.backend));
      contradictions.set(next.backend, { at: next.contradicted_at, all: (backend.contradictions ?? []).map((one) => ({ ...one, backend: next.backend })) });
      if (!loaded) continue;
      for (const region of backend.regions) keep(backend.backend, region);
      collect();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

// Loads some regions again: those that are named, or all that were read since; and backends in which
// a launch has contradicted its verdict.
export async function refresh(changed) {
  await loadAll(backends.filter((one) => (one.contradicted_at ?? null) !== (contradictions.get(one.backend)?.at ?? null)));
  if (!loaded) return wanted ? load() : undefined;
  await loading;
  const isKnown = (backend, region) => regions.has(backend.backend + "\n" + region.region);
  const since = backends.flatMap((backend) => backend.regions
    .filter((region) => !isKnown(backend, region) || (!changed && regions.get(backend.backend + "\n" + region.region).taken_at !== region.taken_at))
    .map((region) => ({ backend: backend.backend, region: region.region })));
  const waiting = [...(changed ?? []), ...since].filter(({ backend }) => backends.some((one) => one.backend === backend));
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const region = await ask("quotas/" + encodeURIComponent(next.backend) + "/" + encodeURIComponent(next.region));
      keep(next.backend, region);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  collect();
}

function keep(backend, region) {
  const made = region.quotas.map((quota) => row(backend, region, quota));
  regions.set(backend + "\n" + region.region, { taken_at: region.taken_at, rows: made });
}

function row(backend, region, quota) {
  const used = quota.limit > 0 && quota.usage !== null ? (quota.usage + quota.leased) / quota.limit : null;
  const names = gpus.get([backend, quota.service, quota.code].join("\n")) ?? [];
  const text = [backend, region.region, quota.name, quota.code, quota.service, marketName(quota.market), unitName(quota.unit), ...names]
    .join(" ").toLowerCase();
  return { backend, region: region.region, freshness: region.freshness, quota, used, names, text,
    key: [backend, region.region, quota.service, quota.code, quota.container?.id].join("\n"),
    // In use, then free, then unknown, then nothing to use.
    rank: quota.limit === 0 ? 3 : used === null ? 2 : used > 0 ? 0 : 1 };
}

// Rows come in by the hundred; showing them a few times a second is enough.
let collecting;

function collect() {
  if (rows.length) collecting ??= setTimeout(collected, 300);
  else collected();
}

function collected() {
  clearTimeout(collecting);
  collecting = undefined;
  rows = [...regions.values()].flatMap((region) => region.rows);
  showQuotas();
}

const VALUES = {
  place: (row) => row.region, name: (row) => row.quota.name, usage: (row) => row.quota.usage,
  limit: (row) => row.quota.limit, available: (row) => row.quota.available,
};

const { compare } = new Intl.Collator("en");

function ordered(a, b) {
  const rest = compare(a.quota.name, b.quota.name) || compare(a.region, b.region) || compare(a.backend, b.backend);
  if (sort.by === "used") return (sort.down ? a.rank - b.rank || (b.used ?? 0) - (a.used ?? 0) : b.rank - a.rank || (a.used ?? 0) - (b.used ?? 0)) || rest;
  const [x, y] = [VALUES[sort.by](a), VALUES[sort.by](b)];
  // What is not known stands at the end in either order.
  if (x === null || y === null) return (x === null) - (y === null) || rest;
  const order = typeof x === "string" ? compare(x, y) : x - y;
  return (sort.down ? -order : order) || rest;
}

// Each word has to be found at the start of a word, so that "P" finds P instances and not "spot".
const matches = (row, words) => words.every((word) => row.text.startsWith(word) || row.text.includes(" " + word) ||
  row.text.includes("-" + word) || row.text.includes("(" + word));

function showQuotas() {
  show(at("quota-heads"), HEADS.map(([name, by, kind]) => make("th", { scope: "col", class: kind, "data-key": by,
    "aria-sort": sort.by !== by ? null : sort.down ? "descending" : "ascending" }, make("button", { type: "button", "data-by": by }, name))));
  const words = at("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const market = at("quota-market").value;
  const found = rows.filter((row) => (!market || row.quota.market === market) && matches(row, words));
  const kept = at("zero").checked ? found : found.filter((row) => row.quota.limit !== 0);
  const first = firstOf(kept, shown);
  show(at("quota-rows"), first.map(quotaRow));
  const zeros = found.length - kept.length;
  at("quotas-shown").textContent = first.length + " of " + kept.length.toLocaleString("en") + " quotas" +
    (zeros ? "; " + zeros.toLocaleString("en") + " more have a limit of zero" : "");
  at("quotas-more").hidden = kept.length <= shown;
}

// The first rows in order. Of tens of thousands only as many are kept in order as are shown.
function firstOf(all, most) {
  const first = [];
  for (const row of all) {
    if (first.length === most && ordered(row, first[most - 1]) >= 0) continue;
    let [low, high] = [0, first.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ordered(row, first[middle]) < 0) high = middle;
      else low = middle + 1;
    }
    first.splice(low, 0, row);
    if (first.length > most) first.pop();
  }
  return first;
}

function quotaRow({ backend, region, freshness, quota, used, names, key }) {
  const about = [quota.service + " " + quota.code, quota.container ? quota.container.kind + " " + quota.container.id : null,
    unitName(quota.unit), marketName(quota.market)].filter(Boolean).join(" · ");
  const free = quota.limit_kind || amount(quota.available, quota.unit);
  return make("tr", { "data-key": key },
    cell(region, small(backend), freshness === "fresh" ? null : small(freshness ?? "not read")),
    cell(quota.name, names.length ? small("GPUs: " + names.join(", ")) : null, small(about), increase(quota)),
    make("td", {}, ...bar(used)),
    number("used", amount(quota.usage, quota.unit), quota.leased ? small("+ " + amount(quota.leased, quota.unit) + " leased") : null),
    number("limit", quota.limit_kind || amount(quota.limit, quota.unit), quota.limit_source && quota.limit_source !== "applied" ? small(quota.limit_source) : null),
    number("free", free));
}

function bar(used) {
  if (used === null) return [];
  const percent = Math.round(used * 100);
  const fill = make("i", { class: used >= 0.9 ? "bad" : used >= 0.7 ? "warn" : null, "data-percent": percent });
  const track = make("div", { class: "bar", role: "meter", "aria-valuenow": Math.min(100, percent), "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": "in use" }, fill);
  return [track, small(percent + " %")];
}

// The policy of the page allows no styles in markup, so widths are set from here.
const widths = new MutationObserver(() => {
  for (const fill of at("quota-rows").querySelectorAll("i[data-percent]")) {
    const width = Math.min(100, Number(fill.dataset.percent)) + "%";
    if (fill.style.width !== width) fill.style.width = width;
  }
});

export function start(guarded, near) {
  widths.observe(at("quota-rows"), { subtree: true, childList: true, attributeFilter: ["data-percent"] });
  for (const id of ["find", "quota-market", "zero"]) {
    at(id).addEventListener("input", () => {
      shown = PAGE;
      writeAddress(false);
      showQuotas();
    });
  }
  at("quotas-more").addEventListener("click", () => { shown += PAGE; showQuotas(); });
  at("quota-heads").addEventListener("click", (event) => {
    const by = event.target.closest("button")?.dataset.by;
    if (!by) return;
    sort = { by, down: sort.by === by ? !sort.down : !["place", "name"].includes(by) };
    showQuotas();
  });
  const want = () => {
    if (wanted) return;
    wanted = true;
    // Before the backends are known there is nothing to ask for; `refresh` comes back to it.
    if (backends.length) guarded(async () => { await load(); near(); });
  };
  const observer = new IntersectionObserver((seen) => {
    if (seen.some((one) => one.isIntersecting)) want();
  }, { rootMargin: "600px" });
  observer.observe(at("quotas"));
  at("find").addEventListener("focus", want);
}
