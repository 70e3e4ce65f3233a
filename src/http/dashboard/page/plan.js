// The planner: where a number of GPUs can be launched.

import { at, cell, dollars, increase, make, number, plural, show, small, table } from "./dom.js";
import { ask } from "./service.js";
import { planQuery, writeAddress } from "./search.js";

let asked = 0;

export async function plan() {
  const query = planQuery();
  const mine = ++asked;
  if (!query) return show(at("plans"));
  const answer = await ask("plan?" + query);
  if (mine !== asked) return;
  const unknown = (answer.unknown_names ?? []).map((one) => "No " + one.parameter.replace("_", " ") + " is called " + one.name + ". " +
    (one.did_you_mean ? "Did you mean " + one.did_you_mean + "? " : ""));
  if (!answer.plans.length) return show(at("plans"), make("p", { class: "dim" }, ...unknown, "No offer has such GPUs."));
  const fitting = answer.plans.filter((one) => one.missing_gpus === 0).length;
  const told = fitting ? "Fits in " + plural(fitting, "way") + (fitting === answer.plans.length ? " or more" : "") + ", the cheapest first."
    : "Fits nowhere as a whole; below is what falls short by the fewest GPUs.";
  show(at("plans"), make("p", { class: fitting ? "good" : "warn" }, ...unknown, told), table("Plans",
    [["Fits"], ["Place"], ["Nodes"], ["Price an hour", "number"], ["Launches left", "number"], ["What binds"]], answer.plans.map(row)));
}

function row(one) {
  const prevented = one.restriction?.reason ?? one.unavailable?.reason;
  const [look, fits] = prevented && one.availability === "not_available" ? ["warn", "not available"]
    : one.missing_gpus === null ? ["dim", "unknown"]
      : one.missing_gpus === 0 ? ["good", "yes"] : ["bad", one.missing_gpus + " GPUs missing"];
  const binding = one.binding && one.binding.required !== null ? one.binding : null;
  const short = binding && one.missing_gpus > 0;
  const ask = short ? increase(one) : null;
  return make("tr", { "data-key": [one.backend, one.region, one.instance_type, one.spot, one.gpu.count].join(" ") },
    cell(make("span", { class: look }, fits)),
    cell(one.region, small(one.backend)),
    cell(one.nodes + " × " + one.instance_type, small(one.gpus + " × " + one.gpu.name + ", " + (one.spot ? "spot" : "on-demand"))),
    number("price", dollars(one.price, one.price_basis)),
    number("launches left", one.launchable ?? "?"),
    cell(prevented ?? one.reason, short ? small("ask for " + binding.required + " free of " + binding.name + ", " + (binding.available ?? "?") + " are") : null, ask));
}

export function start(guarded) {
  at("plan").addEventListener("submit", (event) => {
    event.preventDefault();
    writeAddress(true);
    guarded(plan);
  });
}
