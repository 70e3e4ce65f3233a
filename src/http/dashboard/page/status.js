// The backends, what is wrong with them, and the launches under way.

import { ago, ahead, at, cell, make, number, plural, show, small, table } from "./dom.js";

const few = (names) => names.length <= 3 ? names.join(", ") : names.slice(0, 2).join(", ") + " and " + (names.length - 2) + " more";

// Trouble that regions share is told once, with the next try.
export function showTrouble(overview) {
  const told = new Map();
  for (const backend of overview.backends) {
    for (const region of backend.regions) {
      const failure = region.last_failure;
      if (!failure) continue;
      const key = [backend.backend, failure.kind, failure.detail.replaceAll(region.region, "…"), failure.advice].join("\n");
      const known = told.get(key) ?? { key, backend: backend.backend, failure, regions: [], next: Infinity };
      known.regions.push(region.region);
      known.next = Math.min(known.next, new Date(failure.at).getTime() + failure.retry_after_seconds * 1000);
      told.set(key, known);
    }
    const silent = !backend.regions.length && ["unavailable", "partial"].includes(backend.status);
    if (silent) told.set(backend.backend, { key: backend.backend, backend: backend.backend, failure: { kind: backend.status, detail: "no region could be read" }, regions: [], next: null });
  }
  at("trouble").hidden = told.size === 0;
  show(at("trouble"), [...told.values()].map(({ key, backend, failure, regions, next }) => make("p", { "data-key": key },
    make("strong", { class: "bad" }, backend + ": " + failure.kind.replaceAll("_", " ")),
    (regions.length ? " in " + few(regions) : "") + ": " + failure.detail + (failure.advice ? " (" + failure.advice + ")" : ""),
    next === null ? null : small(" next try " + ahead(next)))));
}

const LOOK = { idle: "dim", reading: "dim", ok: "good", stale: "warn", partial: "warn", unavailable: "bad" };

export function showBackends(overview) {
  const cards = overview.backends.map((backend) => {
    const counts = new Map();
    for (const region of backend.regions) counts.set(freshness(region), (counts.get(freshness(region)) ?? 0) + 1);
    const list = backend.regions.map((region) => make("li", { "data-key": region.region }, region.region + ": " + freshness(region) +
      (region.taken_at ? ", read " + ago(region.taken_at) : "")));
    return make("div", { class: "card", "data-key": backend.backend },
      make("h3", {}, backend.backend, make("span", { class: "dim" }, [backend.kind, backend.account].filter(Boolean).join(" ")),
        make("span", { class: LOOK[backend.status] }, backend.status)),
      make("details", {}, make("summary", { class: "dim" }, plural(backend.regions.length, "region") + ": " +
        [...counts].map(([word, count]) => count + " " + word).join(", ")), make("ul", { class: "plain" }, list)));
  });
  show(at("backends"), cards.length ? cards : make("p", { class: "dim" }, "No backend is configured for this token."));
}

const freshness = (region) => region.freshness ?? (region.last_failure ? "not read" : "being read");

export function showLeases({ leases }) {
  if (!leases.length) return show(at("leases"), make("p", { class: "dim" }, "No leases are under way."));
  const holds = (lease) => lease.holds.map((hold) => hold.amount + " of " + hold.code).join(", ") || "nothing";
  show(at("leases"), table("Leases under way", [["Lease"], ["Place"], ["Type"], ["Instances", "number"], ["Ends"], ["Holds"]],
    leases.slice(0, 100).map((lease) => make("tr", { "data-key": lease.id }, cell(lease.state, small(lease.id)),
      cell(lease.region, small(lease.backend)), cell(lease.instance_type, lease.spot ? small("spot") : null),
      number("instances", lease.count), cell(ahead(new Date(lease.expires_at))), cell(holds(lease), lease.backed ? null : small("not backed by a known quota"))))),
  leases.length > 100 ? make("p", { class: "dim" }, "100 of " + leases.length) : null);
}

// Launches that failed lately, as the offers that are passed over for them tell.
export function showFailures({ offers }) {
  const told = new Map();
  for (const { backend, region, unavailable } of offers) {
    if (unavailable) told.set([backend, unavailable.reason, unavailable.until].join("\n"), { backend, region, ...unavailable });
  }
  if (!told.size) return show(at("failures"), make("p", { class: "dim" }, "No launch has failed lately."));
  show(at("failures"), table("Failures met by launches", [["Failure"], ["Backend"], ["Since"], ["Offered again"]],
    [...told].map(([key, one]) => make("tr", { "data-key": key }, cell(one.reason), cell(one.backend),
      cell(ago(one.since)), cell(ahead(new Date(one.until)))))));
}

// Launches that ended otherwise than their verdict had it.
export function showContradictions(all) {
  if (!all.length) return show(at("contradictions"));
  show(at("contradictions"), table("Contradicted verdicts", [["Launch"], ["Place"], ["Contradiction"], ["When"]],
    all.map((one) => make("tr", {}, cell(one.instance_type, small(one.spot ? "spot" : "on-demand")), cell(one.region, small(one.backend)),
      cell(make("span", { class: "warn" }, one.outcome === "launched" ? "came up though it was " + one.verdict : "failed though the verdict was " + one.verdict), small(one.detail ?? one.class ?? "")),
      cell(ago(one.at))))));
}
