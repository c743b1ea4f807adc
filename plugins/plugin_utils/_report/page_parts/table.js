/*
Copyright (c) 2026, azureml.arc contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
// Rows.
const byName = (one, other) => one.localeCompare(other, "en", {numeric: true});
const clusters = new Map(report.clusters.map(one => [one.name, one]));
const rows = new Map();

function makeRow(one) {
  const button = node("button", {class: "name", type: "button", "aria-expanded": "false"}, one.name);
  const made = node("tr", {class: "row " + one.outcome, role: "row"}, node("th", {role: "rowheader", scope: "row"}, button));
  for (const column of COLUMNS.slice(1)) {
    made.append(node("td", {role: "cell", class: column.kind, "data-label": column.label}, column.cell(one)));
  }
  made.append(node("td", {role: "cell", class: "time"}, timeline(one)));
  const row = {one, made, button, detail: null, text: textOf(Object.values(one)).toLowerCase()};
  made.addEventListener("click", event => {
    if (!getSelection().isCollapsed && !event.target.closest("button")) return; // text is being selected
    toggle(row, !row.detail);
  });
  return row;
}
function toggle(row, open) {
  if (open === Boolean(row.detail)) return;
  row.button.setAttribute("aria-expanded", String(open));
  row.made.classList.toggle("open", open);
  if (open) {
    row.detail = details(row.one);
    row.made.after(row.detail);
  } else {
    row.detail.remove();
    row.detail = null;
  }
}

// Waves.
function waveWords(wave, members) {
  const bad = members.filter(one => BAD.includes(one.outcome)).length;
  // Where the rollout stopped, the number of waves to come is not known.
  const of = report.totals.not_started ? "" : " of " + report.waves.length;
  const made = [node("strong", {}, "Wave " + wave.number + of),
    node("span", {}, plural(members.length, "cluster") + (bad ? ", " + bad + " failed" : ", none failed"))];
  if (wave.allowed_failures !== null) {
    const sofar = report.clusters.filter(one => BAD.includes(one.outcome) && one.wave !== null && one.wave <= wave.number).length;
    made.push(node("span", {class: "note"}, "failure budget: " + sofar + " of " + wave.allowed_failures + " used"));
  }
  if (wave.stopped) made.push(node("span", {class: "stopped"}, "rollout stopped"));
  return made;
}
const groups = []; // {body, rows}

function makeGroup(words, members, range) {
  const body = node("tbody", {role: "rowgroup"});
  const track = node("div", {class: "track"}, range ? [placed("range", range[0], range[1], duration(range[1] - range[0]))] : []);
  if (words) {
    body.append(node("tr", {class: "wave", role: "row"},
      node("th", {role: "rowheader", scope: "rowgroup"}, words), node("td", {role: "cell", "aria-hidden": "true"}, track)));
  }
  const made = members.map(makeRow);
  made.forEach(row => rows.set(row.one.name, row));
  body.append(...made.map(row => row.made));
  groups.push({body, rows: made});
  return body;
}
function table() {
  const members = report.waves.map(wave => report.clusters.filter(one => one.wave === wave.number));
  const ranges = members.map(found => found.filter(one => one.phases.length))
    .map(found => found.length ? [Math.min(...found.map(first)), Math.max(...found.map(last))] : null);
  ranges.forEach((range, index) => { if (range) borders.set(index + 1, range[0]); });
  const waiting = report.clusters.filter(one => one.wave === null);
  const several = report.waves.length > 1 || waiting.length > 0;
  const head = node("tr", {role: "row"});
  COLUMNS.forEach((column, index) => {
    const button = node("button", {type: "button"}, column.title);
    button.addEventListener("click", () => {
      sorting = {index, down: sorting.index === index && !sorting.down};
      sort();
    });
    head.append(node("th", {role: "columnheader", scope: "col", "data-column": index, class: column.kind}, button));
  });
  head.append(node("th", {role: "columnheader", scope: "col", class: "time", "aria-label": "Timeline"}, axis()));
  const bodies = report.waves.map((wave, index) =>
    makeGroup(several ? waveWords(wave, members[index]) : null, members[index], ranges[index]));
  if (waiting.length) bodies.push(makeGroup([node("strong", {}, "Not started"), node("span", {}, plural(waiting.length, "cluster"))], waiting, null));
  drawLines();
  return node("table", {role: "table", "aria-label": "Clusters"}, node("thead", {role: "rowgroup"}, head), bodies);
}
