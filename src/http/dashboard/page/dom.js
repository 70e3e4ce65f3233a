// Elements, and changing them in place.

export const at = (id) => document.getElementById(id);

// An element with text and children; data never becomes markup.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// Makes the children of an element those given, and keeps each element whose kind is the same, so
// that focus, selection and what is open stay where they are.
export function show(parent, ...children) {
  morphChildren(parent, make("div", {}, ...children));
}

function morphChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = wanted.nodeType === Node.ELEMENT_NODE ? wanted.dataset.key : undefined;
    const known = key ? keyed.get(key) : place && !place.dataset?.key && alike(place, wanted) ? place : null;
    if (!known) {
      old.insertBefore(wanted, place);
      continue;
    }
    if (known === place) place = place.nextSibling;
    else {
      // Moving an element takes the focus from it.
      const focused = known.contains(document.activeElement) ? document.activeElement : null;
      old.insertBefore(known, place);
      focused?.focus({ preventScroll: true });
    }
    keyed.delete(key);
    morph(known, wanted);
  }
  while (place) { const next = place.nextSibling; place.remove(); place = next; }
}

const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName;

function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open" && name !== "tabindex") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "tabindex" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (fresh.dataset.own === undefined) morphChildren(old, fresh);
}

// A table with named columns; a row is a list of cells.
export function table(caption, heads, rows) {
  const head = make("tr", {}, ...heads.map(([name, kind]) => make("th", { scope: "col", class: kind }, name)));
  return make("table", { class: "rows" }, make("caption", { class: "hidden" }, caption),
    make("thead", {}, head), make("tbody", {}, ...rows));
}

export const cell = (...children) => make("td", {}, ...children);
export const number = (name, ...children) => make("td", { class: "number", "data-name": name }, ...children);
export const small = (...children) => make("small", {}, ...children);

// Only web addresses become links.
export function link(url, text) {
  if (typeof url !== "string" || !url.startsWith("https://")) return null;
  return make("a", { href: url, rel: "noreferrer", target: "_blank" }, text);
}

// Where a person asks for more of a quota: a page, or the command where no page shows it.
export function increase({ increase_url: url, increase_command: command }) {
  if (!command) return link(url, "Request increase");
  return make("details", { class: "ask" }, make("summary", {}, "Request increase"), make("code", {}, command));
}

export const dollars = (value, basis) =>
  value === null || value === undefined ? "?" : (basis === "estimated" ? "~" : "") + "$" + value.toFixed(2);
export const plural = (count, word) => count + " " + word + (count === 1 ? "" : "s");

export function ago(text) {
  return span(Math.max(0, (Date.now() - new Date(text)) / 1000)) + " ago";
}

export function ahead(moment) {
  const seconds = (moment - Date.now()) / 1000;
  return seconds <= 0 ? "now" : "in " + span(seconds);
}

function span(seconds) {
  if (seconds < 90) return Math.round(seconds) + " s";
  if (seconds < 5400) return Math.round(seconds / 60) + " min";
  return (seconds / 3600).toFixed(1) + " h";
}

const UNITS = { vcpu: "vCPU", gpu: "GPU", instance: "instances", byte: "", count: "" };
export const unitName = (unit) => UNITS[unit] ?? unit ?? "";
export const marketName = (market) => ({ on_demand: "on-demand", any: "" })[market] ?? market;

export function amount(value, unit) {
  if (value === null || value === undefined) return "?";
  const [size, name] = unit !== "byte" ? [1, ""] : value >= 2 ** 40 ? [2 ** 40, " TiB"] : [2 ** 30, " GiB"];
  return (value / size).toLocaleString("en", { maximumFractionDigits: 2 }) + name;
}
