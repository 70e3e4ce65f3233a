// The search: what the form says, as the address has it, and as the service is asked.

import { at } from "./dom.js";

const FIELDS = ["gpu", "count", "market", "region", "max_price", "fits"];
const PLAN = { "plan-gpus": "plan_gpus", "plan-gpu": "plan_gpu", "plan-max": "plan_max", "plan-market": "plan_market" };

// Fills the forms from the address.
export function readAddress() {
  const query = new URLSearchParams(location.search);
  for (const field of FIELDS) set(at(field), query.get(field));
  for (const [id, name] of Object.entries(PLAN)) set(at(id), query.get(name));
  set(at("find"), query.get("find"));
}

function set(input, value) {
  if (input.type === "checkbox") input.checked = value === "1";
  else input.value = value ?? "";
}

// Puts the forms into the address: as a new place in the history, or in the place of this one.
export function writeAddress(isNew) {
  const query = new URLSearchParams();
  const add = (name, input) => {
    const value = input.type === "checkbox" ? (input.checked ? "1" : "") : input.value.trim();
    if (value) query.set(name, value);
  };
  for (const field of FIELDS) add(field, at(field));
  for (const [id, name] of Object.entries(PLAN)) add(name, at(id));
  add("find", at("find"));
  const text = query.toString();
  const address = location.pathname + (text ? "?" + text : "");
  if (address === location.pathname + location.search) return;
  if (isNew) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

const words = (text) => text.split(/[,\s]+/).filter(Boolean);

const VENDORS = ["nvidia", "amd", "intel", "google", "aws", "tenstorrent"];
const COUNT = /^(\d*)(?:(\.\.)(\d*))?$/;
const MEMORY = /^(?:(\d+(?:\.\d+)?)gi?b)?(?:(\.\.)(?:(\d+(?:\.\d+)?)gi?b)?)?$/i;

// The ends of a range as a number, `4`, `2..`, `..8` or `2..8`; nothing if the text is none.
function ends(text, form) {
  const [, least, isRange, most] = form.exec(text) ?? [];
  if (!least && !most) return null;
  return [least ? Number(least) : undefined, most ? Number(most) : isRange ? undefined : Number(least)];
}

// What dstack writes about GPUs: names, memory and count, such as `H100:8`, `A100:80GB:1..4` or
// `8xH100`; and names as the clouds have them.
export function parseGpu(text) {
  const wanted = { names: [], vendors: [] };
  for (const word of words(text)) {
    const [, before, rest] = /^(?:(\d+)\s*[x×*])?(.*)$/i.exec(word);
    if (before) wanted.min = wanted.max = Number(before);
    for (const part of rest.split(":").filter(Boolean)) {
      const count = ends(part, COUNT);
      const memory = count ? null : ends(part, MEMORY);
      if (count) [wanted.min, wanted.max] = count;
      else if (memory) [wanted.memory, wanted.mostMemory] = memory;
      else if (VENDORS.includes(part.toLowerCase())) wanted.vendors.push(part.toLowerCase());
      else wanted.names.push(part);
    }
  }
  return wanted;
}

// Adds the models, vendors and memory to a question.
function ofModels(query, gpu) {
  for (const name of gpu.names) query.append("gpu", name);
  for (const vendor of gpu.vendors) query.append("gpu_vendor", vendor);
  if (gpu.memory) query.set("min_gpu_memory_gb", gpu.memory);
  if (gpu.mostMemory) query.set("max_gpu_memory_gb", gpu.mostMemory);
}

const market = (query, value) => { if (value) query.set("spot", value === "spot"); };

// The filter of the search, without what is about availability and pages.
export function filter() {
  const query = new URLSearchParams();
  const gpu = parseGpu(at("gpu").value);
  ofModels(query, gpu);
  query.set("min_gpu_count", Math.max(1, gpu.min ?? 1));
  if (gpu.max) query.set("max_gpu_count", gpu.max);
  for (const name of words(at("region").value)) query.append("region", name);
  market(query, at("market").value);
  if (at("max_price").value) query.set("max_price", at("max_price").value);
  const count = Number(at("count").value);
  if (count > 1) query.set("count", count);
  return query;
}

// The question of the planner; nothing without a number of GPUs.
export function planQuery() {
  const gpus = at("plan-gpus").value;
  if (!gpus) return null;
  const query = new URLSearchParams({ gpus, limit: 20 });
  const gpu = parseGpu(at("plan-gpu").value);
  ofModels(query, gpu);
  if (gpu.min) query.set("min_gpu_count", gpu.min);
  const most = [gpu.max, Number(at("plan-max").value)].filter(Boolean);
  if (most.length) query.set("max_per_node", Math.min(...most));
  market(query, at("plan-market").value);
  return query;
}

export function asCurl(needsToken) {
  const query = filter();
  query.set("availability", "available");
  query.set("format", "table");
  const address = new URL("offers?" + query, document.baseURI).href;
  const token = needsToken ? " -H \"Authorization: Bearer $TOKEN\"" : "";
  return "curl -s" + token + " '" + address + "'";
}

export function asDstack() {
  const gpu = parseGpu(at("gpu").value);
  const few = (list) => "[" + list.join(", ") + "]";
  const range = (least, most, unit) => least === most ? (least ?? "") + (least ? unit : "")
    : (least ? least + unit : "") + ".." + (most ? most + unit : "");
  const spec = [...gpu.vendors, gpu.names.join(","), range(gpu.memory, gpu.mostMemory, "GB"), range(gpu.min, gpu.max, "")]
    .filter(Boolean).join(":");
  const lines = ["type: task", "commands: [nvidia-smi]"];
  const count = Number(at("count").value);
  if (count > 1) lines.push("nodes: " + count);
  lines.push("resources:", "  gpu: " + (spec || "1.."));
  const regions = words(at("region").value);
  if (regions.length) lines.push("regions: " + few(regions));
  lines.push("spot_policy: " + ({ spot: "spot", on_demand: "on-demand" }[at("market").value] ?? "auto"));
  if (at("max_price").value) lines.push("max_price: " + at("max_price").value);
  return lines.join("\n") + "\n";
}
