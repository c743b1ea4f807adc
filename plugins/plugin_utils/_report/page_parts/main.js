/*
Copyright (c) 2026, azureml.arc contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
// Sort and filter: rows are made once, then moved and hidden.
let sorting = {index: 1, down: false}, shown = null;

function sort() {
  const key = COLUMNS[sorting.index].key, sign = sorting.down ? -1 : 1;
  for (const group of groups) {
    group.rows.sort((left, right) => {
      const one = key(left.one), other = key(right.one);
      const order = typeof one === "number" ? one - other : byName(one, other);
      return sign * order || byName(left.one.name, right.one.name);
    });
    group.body.append(...group.rows.flatMap(row => row.detail ? [row.made, row.detail] : [row.made]));
  }
  document.querySelectorAll("th[data-column]").forEach(head => {
    const mine = Number(head.dataset.column) === sorting.index;
    head.setAttribute("aria-sort", mine ? (sorting.down ? "descending" : "ascending") : "none");
  });
}
function filter() {
  const sought = document.getElementById("filter").value.trim().toLowerCase();
  let count = 0;
  for (const group of groups) {
    let found = 0;
    for (const row of group.rows) {
      const match = (shown === null || row.one.outcome === shown) && row.text.includes(sought);
      row.made.hidden = !match;
      if (row.detail) row.detail.hidden = !match;
      found += match;
    }
    group.body.hidden = !found;
    count += found;
  }
  document.getElementById("count").textContent = count + " of " + plural(report.clusters.length, "cluster");
  document.querySelectorAll("button[data-outcome]").forEach(button =>
    button.setAttribute("aria-pressed", String((button.dataset.outcome || null) === shown)));
}
function bar() {
  const made = node("div", {class: "bar"},
    node("input", {id: "filter", type: "search", placeholder: "Filter by name, cause, code, pod \u2026", "aria-label": "Filter"}));
  made.firstChild.addEventListener("input", filter);
  for (const outcome of ["", ...ORDER.filter(one => report.totals[one])]) {
    const words = outcome ? capital(OUTCOMES[outcome][1]) + " " + report.totals[outcome] : "All " + report.clusters.length;
    const button = node("button", {type: "button", class: "button", "data-outcome": outcome}, words);
    button.addEventListener("click", () => { shown = outcome || null; filter(); });
    made.append(button);
  }
  made.append(node("span", {id: "count", role: "status", class: "note"}));
  return made;
}
function legend() {
  const used = new Set(report.clusters.flatMap(one => one.phases.map(phase => phase.name)));
  const made = Object.entries(PHASES).filter(([name]) => used.has(name))
    .map(([name, words]) => node("span", {}, node("i", {class: name}), words));
  if (report.causes.length) made.push(node("span", {}, node("i", {class: "end"}), "failed"));
  return made.length ? node("p", {class: "legend", "aria-label": "Timeline"}, made) : null;
}

// A link to a cluster opens it.
function follow() {
  let name = location.hash.slice(1);
  try { name = decodeURIComponent(name); } catch { /* not a valid encoding: use the text unchanged */ }
  const row = rows.get(name);
  if (!row) return;
  if (row.made.hidden) {
    shown = null;
    document.getElementById("filter").value = "";
    filter();
  }
  toggle(row, true);
  row.made.scrollIntoView({block: "center"});
  row.button.focus({preventScroll: true});
}

drawFacts();
const main = document.getElementById("main");
const causes = causesSection();
if (causes) main.append(causes);
main.append(node("section", {"aria-label": "Clusters"}, bar(), legend() || "", table()));
sort();
filter();
follow();
window.addEventListener("hashchange", follow);
window.addEventListener("beforeprint", () => rows.forEach(row => { if (row.one.failures.length) toggle(row, true); }));
