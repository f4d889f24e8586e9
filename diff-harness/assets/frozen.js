"use strict";
// The file is read without this: filters, copying and the mark in the navigation are what it adds.
document.documentElement.classList.add("js");
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

function filter(page) {
  const words = (page.querySelector("input[data-filter]")?.value ?? "").toLowerCase().split(/\s+/);
  const hidden = new Set(all("input[data-severity]", page).filter((box) => !box.checked).map((box) => box.dataset.severity));
  for (const row of all(".filtered tbody tr", page)) {
    const text = row.textContent.toLowerCase();
    row.hidden = hidden.has(row.dataset.severity) || !words.every((word) => text.includes(word));
  }
}
for (const page of all(".page"))
  for (const input of all("input[data-filter], input[data-severity]", page)) input.addEventListener("input", () => filter(page));

for (const button of all("button[data-copy]"))
  button.addEventListener("click", async () => {
    const pre = button.parentElement.querySelector("pre");
    try {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre);
      button.textContent = "Selected: copy it";
    }
  });

const name = document.title;
function follow() {
  const target = document.getElementById(location.hash.slice(1));
  const page = target?.closest(".page") ?? document.querySelector(".page");
  for (const link of all(".top nav a")) {
    if (link.hash === `#${page.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = page.id === document.querySelector(".page").id ? name : `${page.dataset.title} – ${name}`;
  if (target === page) scrollTo(0, 0);
}
addEventListener("hashchange", follow);
follow();
