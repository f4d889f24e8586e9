"use strict";
// Every page works without this: keys, live counts and copying are what it adds.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);
const wide = new Intl.NumberFormat("en", { useGrouping: true });
const grouped = (n) => wide.format(n).replaceAll(",", "\u202f");

// --- copying
document.documentElement.classList.add("js");
const copy = async (button) => {
  const text = one("pre", button.parentElement).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(one("pre", button.parentElement));
    button.textContent = "Selected: copy it";
  }
};
for (const button of all("button[data-copy]")) button.addEventListener("click", () => copy(button));

// --- keys
const help = one("#help");
one("#help-button")?.addEventListener("click", () => help.showModal());
const rows = all(".rows tbody tr").filter((row) => one("a[href]", row));
let waitingForPlace = false;

function step(by) {
  const rel = one(by > 0 ? "a[rel=next]" : "a[rel=prev]");
  if (!rows.length) return rel?.click();
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : -1) : here + by;
  if (next >= 0 && next < rows.length) one("th a[href], a[href]", rows[next]).focus();
  else if (here >= 0) rel?.click();
}

function decide(key) {
  const choice = one(`input[data-key="${key}"]`);
  if (!choice) return;
  choice.checked = true;
  one("input[name=reason]", choice.form).focus();
}

function unfold(key) {
  const fold = one(`summary[data-key="${key}"]`)?.parentElement;
  if (!fold) return;
  fold.open = true;
  one("input:not([type=hidden])", fold).focus();
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  "/": () => one("input[type=search]")?.focus(),
  "?": () => help.showModal(),
  "[": () => one('a[data-key="["]')?.click(),
  "]": () => one('a[data-key="]"]')?.click(),
  b: () => decide("b"),
  e: () => decide("e"),
  n: () => decide("n"),
  f: () => decide("f"),
  u: () => unfold("u"),
  s: () => unfold("s"),
  c: () => {
    const button = one("button[data-copy]");
    for (let fold = button?.closest("details:not([open])"); fold; fold = fold.parentElement.closest("details:not([open])")) fold.open = true;
    if (button) copy(button);
  },
  g: () => {
    waitingForPlace = true;
    setTimeout(() => (waitingForPlace = false), 1500);
  },
};
const places = { o: "/", g: "/groups", m: "/matrix", r: "/rules", a: "/audit" };

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const on = event.target;
  if (on.matches?.("input:not([type=radio]):not([type=checkbox]), textarea, select")) {
    if (event.key === "Escape") on.blur();
    return;
  }
  if (one("dialog[open]")) return;
  if (waitingForPlace && places[event.key]) {
    event.preventDefault();
    location.assign(places[event.key]);
    return;
  }
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

// --- live
const connection = one("#connection");
const shown = one("[data-live]");
const group = one("[data-live-group]")?.dataset.liveGroup;
let source = null;

function say(word, state) {
  if (!connection || connection.textContent === word) return;
  connection.className = state;
  connection.textContent = word;
}

function put(element, value) {
  const text = typeof value === "number" ? grouped(value) : value;
  if (element.textContent === text) return;
  element.textContent = text;
  element.classList.remove("flash");
  void element.offsetWidth;
  element.classList.add("flash");
}

function pill(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

function putStanding(cell, { stage, hold }) {
  const parts = [pill(`stage ${stage.split(":")[0]}`, stage)];
  if (hold !== "none") parts.push(" ", pill("hold", hold));
  const before = cell.textContent.trim().replace(/\s+/g, " ");
  cell.replaceChildren(...parts);
  if (before !== cell.textContent.trim()) cell.classList.add("flash");
}

function putMeter(meter, { have, want, evidence }) {
  meter.max = want;
  meter.value = have;
  meter.textContent = evidence;
  meter.className = have >= want ? "full" : "";
}

function fill(root, values) {
  for (const element of all("[data-live]", root)) {
    const name = element.dataset.live;
    if (name === "standing" && values.stage) putStanding(element, values);
    else if (name === "meter" && values.want) putMeter(element, values);
    else if (values[name] !== undefined) put(element, values[name]);
  }
}

const escape = (text) => CSS.escape(text);

function take(message) {
  say("live", "");
  for (const endpoint of message.endpoints) {
    for (const root of all(`[data-of="${escape(endpoint.of)}"]`)) fill(root, endpoint);
  }
  for (const element of all("[data-live]")) {
    if (element.closest("[data-of]")) continue;
    const value = message.total?.[element.dataset.live] ?? message.group?.[element.dataset.live];
    if (value !== undefined) put(element, value);
  }
}

function open() {
  if (source || !shown) return;
  const query = new URLSearchParams();
  if (group) query.set("group", group);
  say("connecting", "waiting");
  source = new EventSource(`/events?${query}`);
  source.addEventListener("open", () => say("live", ""));
  source.addEventListener("counts", (event) => take(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    say("connection lost: these counts stand still", "lost");
    // A browser gives up for good on an answer that is none; it is asked again anyway.
    if (source?.readyState === EventSource.CLOSED) {
      close();
      setTimeout(open, 3000);
    }
  });
}

function close() {
  source?.close();
  source = null;
}

if (connection && !shown) connection.remove();
// A browser has few connections to one server: a page that nobody sees gives its own back.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
addEventListener("pagehide", close);
addEventListener("pageshow", open);
if (!document.hidden) open();
