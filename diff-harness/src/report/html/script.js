"use strict";
document.documentElement.classList.add("js");
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const searches = all("input[data-filter]");
const boxes = all("input[data-severity]");
function show() {
  const hidden = new Set(boxes.filter((box) => !box.checked).map((box) => box.dataset.severity));
  for (const search of searches) {
    const words = search.value.toLowerCase().split(/\s+/);
    for (const item of all("." + search.dataset.filter)) {
      const text = (item.dataset.text || "").toLowerCase();
      item.hidden = hidden.has(item.dataset.severity) || !words.every((word) => text.includes(word));
    }
  }
}
for (const input of [...searches, ...boxes]) input.addEventListener("input", show);
for (const button of all("button[data-open]"))
  button.addEventListener("click", () => {
    for (const group of all(".group:not([hidden])")) group.open = button.dataset.open === "all";
  });
for (const button of all("button[data-copy]"))
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
    button.textContent = "Copied";
  });
function follow() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") target.open = true;
}
addEventListener("hashchange", follow);
follow();
