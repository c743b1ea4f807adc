/*
Copyright (c) 2026, azureml.arc contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
"use strict";

const report = JSON.parse(document.getElementById("report").textContent);
const OUTCOMES = {
  failed: ["\u2715", "failed"], unreachable: ["\u26a0", "unreachable"], not_started: ["\u25cb", "not started"],
  changed: ["\u2713", report.check_mode ? "would change" : "changed"], ok: ["\u2713", "unchanged"],
};
const ORDER = Object.keys(OUTCOMES);
const BAD = ["failed", "unreachable"];
const PHASES = {
  checks: "Checks", setup: "Cluster setup", extension: "Extension", readiness: "Pods", attachment: "Attachment",
};
// What was done, would be done, and could not be done, by the action of a plan.
const ACTIONS = {
  none: ["unchanged", "unchanged", "not in sync"], create: ["installed", "would be installed", "install failed"],
  update: ["updated", "would be updated", "update failed"], replace: ["replaced", "would be replaced", "replacement failed"],
  adopt: ["joined", "would be joined", "failed"],
};
const NAMES_SHOWN = 12;
const total = Math.max(report.seconds, 0.1);

// Elements. Text of others becomes text nodes, never markup.
function node(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}
// The text of a value with all that is in it, for the filter.
function textOf(value) {
  if (typeof value === "string") return value;
  if (value === null || typeof value !== "object") return "";
  return (Array.isArray(value) ? value : Object.entries(value).flat()).map(textOf).filter(Boolean).join("\n");
}
const plural = (count, noun) => count + " " + noun + (count === 1 ? "" : "s");
const capital = text => text.charAt(0).toUpperCase() + text.slice(1);

function duration(seconds) {
  if (seconds < 10) return seconds.toFixed(seconds < 1 ? 1 : 0) + " s";
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60), hours = Math.floor(minutes / 60);
  if (hours) return hours + " h" + (minutes % 60 ? " " + minutes % 60 + " min" : "");
  if (minutes) return minutes + " min" + (whole % 60 ? " " + whole % 60 + " s" : "");
  return whole + " s";
}
const first = one => Math.min(...one.phases.map(phase => phase.start));
const last = one => Math.max(...one.phases.map(phase => phase.end));
const seconds = one => one.phases.length ? last(one) - first(one) : 0;

// The head of the page: when, how long, and of what.
function drawFacts() {
  const started = new Date(report.started);
  const when = started.toLocaleString("en-GB",
    {day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short"});
  const time = node("time", {datetime: report.started, title: report.started}, when);
  const facts = [time, "took " + duration(report.seconds), report.playbook,
    report.inventory && "inventory " + report.inventory, report.limit ? "limit " + report.limit : "no limit"];
  document.getElementById("facts").replaceChildren(...facts.filter(Boolean).map(fact => node("span", {}, fact)));
  const header = document.querySelector("header");
  if (report.check_mode) header.append(node("p", {class: "plan"}, "Check mode: nothing was changed."));
  const shares = ["changed", "ok", "failed", "unreachable", "not_started"].filter(outcome => report.totals[outcome]);
  const words = shares.map(outcome => report.totals[outcome] + " " + OUTCOMES[outcome][1]).join(", ");
  const bar = node("div", {class: "share", role: "img", "aria-label": words});
  for (const outcome of shares) {
    const part = node("i", {class: "fill-" + outcome, title: report.totals[outcome] + " " + OUTCOMES[outcome][1]});
    part.style.flexGrow = report.totals[outcome];
    bar.append(part);
  }
  if (shares.length) header.append(bar);
}

// The causes, each with its clusters, and the line that runs those again.
function causesSection() {
  const names = report.causes.flatMap(cause => cause.clusters);
  if (!names.length) return null;
  const counts = report.causes.map(cause => cause.clusters.length + " " + cause.kind).join(", ");
  const list = node("ul", {class: "causes"});
  for (const cause of report.causes) {
    const example = clusters.get(cause.clusters[0]);
    const links = cause.clusters.slice(0, NAMES_SHOWN).map(name => node("a", {href: "#" + encodeURIComponent(name)}, name));
    const more = cause.clusters.length - links.length;
    list.append(node("li", {},
      node("h3", {}, cause.kind + ": " + plural(cause.clusters.length, "cluster")),
      node("p", {class: "names"}, links, more > 0 ? node("span", {}, "and " + more + " more") : null),
      node("p", {}, example.cause.detail),
      example.cause.fix ? node("p", {class: "fix"}, example.cause.fix) : null));
  }
  const line = "--limit " + names.slice().sort(byName).join(",");
  const code = node("code", {tabindex: "0"}, line);
  const copy = node("button", {class: "button", type: "button"}, "Copy");
  copy.addEventListener("click", () => copyText(line, code, copy));
  return node("section", {"aria-labelledby": "causes"},
    node("h2", {id: "causes"}, names.length + " failed: " + counts), list,
    node("p", {class: "retry"}, node("span", {}, "Run the failed clusters again:"), code, copy));
}
async function copyText(text, shown, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no permission, or no secure context
    getSelection().selectAllChildren(shown);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

// The timeline: one scale for all clusters.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
const step = STEPS.find(one => total / one <= 5) || Math.ceil(total / 5 / 86400) * 86400;
const ticks = Array.from({length: Math.floor(total / step) + 1}, (_none, index) => index * step);
const borders = new Map(); // wave, and when it began
const percent = time => 100 * Math.min(Math.max(time / total, 0), 1) + "%";

function drawLines() {
  const line = (time, colour, width) =>
    "linear-gradient(var(--" + colour + "), var(--" + colour + ")) " + percent(time) + " 0 / " + width + " 100% no-repeat";
  const lines = [...[...borders.values()].slice(1).map(time => line(time, "soft", "1px")),
    ...ticks.map(time => line(time, "grid", "1px"))];
  document.documentElement.style.setProperty("--lines", lines.join(", "));
}
function axis() {
  const made = node("div", {class: "axis"});
  ticks.forEach((time, index) => {
    const label = node("span", {class: index % 2 ? "minor" : null}, time ? duration(time) : "0");
    label.style.left = percent(time);
    label.classList.toggle("last", time / total > 0.93);
    made.append(label);
  });
  if (borders.size > 1 && borders.size <= 6) {
    for (const [wave, time] of borders) {
      const label = node("span", {class: "border"}, "W" + wave);
      label.style.left = percent(time);
      made.append(label);
    }
  }
  return made;
}
function placed(kind, start, end, title) {
  const made = node("i", {class: kind, title});
  made.style.left = percent(start);
  if (end !== null) made.style.width = 100 * (end - start) / total + "%";
  return made;
}
function timeline(one) {
  const words = one.phases.map(phase => PHASES[phase.name] + " " + duration(phase.end - phase.start));
  if (BAD.includes(one.outcome)) words.push("failed");
  const track = node("div", {class: "track", role: "img", "aria-label": words.join(", ") || "no time"});
  for (const phase of one.phases) {
    track.append(placed(phase.name, phase.start, phase.end, PHASES[phase.name] + ": " + duration(phase.end - phase.start)));
  }
  if (BAD.includes(one.outcome)) {
    const end = one.phases.length ? last(one) : borders.get(one.wave) || 0;
    track.append(placed("end" + (end / total > 0.95 ? " inside" : ""), end, null, "failed"));
  }
  return track;
}

// Cells.
function extensionCell(one) {
  const found = one.extension;
  if (!found) return [];
  const installed = !BAD.includes(one.outcome) || found.provisioning_state === "Succeeded";
  const words = (ACTIONS[found.action] || [found.action, found.action, found.action]);
  const change = found.changes.version;
  const version = change && change.before && change.after && change.before !== change.after && installed
    ? change.before + " \u2192 " + change.after : found.version;
  const word = installed ? words[report.check_mode ? 1 : 0] : words[2];
  return [node("span", {}, version), version ? " " : "", node("span", {class: "note"}, word)];
}
function computeCell(one) {
  return one.computes.flatMap((compute, index) => [index ? ", " : "", compute.name,
    compute.provisioning_state && compute.provisioning_state !== "Succeeded"
      ? node("span", {class: "note"}, " " + compute.provisioning_state.toLowerCase()) : ""]);
}
function outcomeCell(one) {
  const [mark, word] = OUTCOMES[one.outcome];
  const cause = one.cause && node("span", {class: "cause"}, node("b", {class: "label"}, one.cause.kind + ":"), " ", one.cause.detail);
  return [node("span", {class: "outcome " + one.outcome}, mark + " " + capital(word)), cause];
}
const ready = one => one.readiness ? one.readiness.components_ready + "/" + one.readiness.components : "";
const COLUMNS = [
  {title: "Cluster", key: one => one.name},
  {title: "Result", key: one => ORDER.indexOf(one.outcome), cell: outcomeCell},
  {title: "Extension", key: one => one.extension ? one.extension.version : "", cell: extensionCell, label: "extension"},
  {title: "Components", key: one => one.readiness ? one.readiness.components_ready / (one.readiness.components || 1) : -1,
    cell: one => [ready(one)], label: "components", kind: "number"},
  {title: "Compute", key: one => one.computes.map(compute => compute.name).join(), cell: computeCell, label: "compute", kind: "compute"},
  {title: "Time", key: seconds, cell: one => one.phases.length ? [duration(seconds(one))] : [], label: "time", kind: "number"},
];

// Details, built when a row is opened.
function list(title, lines) {
  return lines.length ? [node("h3", {}, title), node("ul", {}, lines.map(line => node("li", {}, line)))] : [];
}
function pairs(rows) {
  const shown = rows.filter(([, value]) => value);
  return shown.length ? node("dl", {}, shown.flatMap(([name, value]) => [node("dt", {}, name), node("dd", {}, value)])) : null;
}
function failureItem(failure, fix) { // what to do first is shown by itself
  return node("li", {},
    failure.message && node("p", {class: "message"}, failure.message),
    failure.findings.map(found => node("p", {}, (found.check ? found.check + ": " : "") + found.message,
      found.hint && found.hint !== fix ? node("span", {class: "fix"}, " " + found.hint) : "")),
    pairs([["Failed step", failure.task], ["Code", failure.code], ["Correlation id", failure.correlation_id]]));
}
function details(one) {
  const readiness = one.readiness || {not_ready: [], health_check: []};
  const changes = Object.entries(one.extension ? one.extension.changes : {});
  const parts = [
    one.failures.length ? [node("h3", {}, "Why it failed"), node("ul", {}, one.failures.map(failure => failureItem(failure, one.cause.fix)))] : [],
    one.cause && one.cause.fix ? [node("h3", {}, "Next step"), node("p", {}, one.cause.fix)] : [],
    list("Health check of the extension", readiness.health_check.map(found =>
      [found.code + " " + found.name + ": " + found.message, found.hint ? node("span", {class: "fix"}, " " + found.hint) : ""])),
    list("Not ready", readiness.not_ready.map(row => [node("b", {}, row.kind + " " + row.name), " " + row.reason,
      row.message ? node("div", {class: "note"}, row.message) : ""])),
    list("Changed settings", changes.map(([key, change]) =>
      [node("b", {}, key), " " + (change.before || "(unset)") + " \u2192 " + (change.after || "(unset)")])),
    list("Warnings", one.warnings),
    node("h3", {}, "Facts"),
    pairs([
      ["Extension", one.extension && [one.extension.version, ["create", "none"].includes(one.extension.action) ? ""
        : one.extension.reason].filter(Boolean).join(", ")],
      ["Pods", one.readiness && one.readiness.summary],
      ["Compute", one.computes.map(compute => compute.name + " " + compute.provisioning_state.toLowerCase()).join(", ")],
      ["Time", one.phases.map(phase => PHASES[phase.name] + " " + duration(phase.end - phase.start)).join(", ")],
      ["Link", node("a", {href: "#" + encodeURIComponent(one.name)}, "#" + one.name)],
    ]),
  ];
  return node("tr", {class: "detail", role: "row"}, node("td", {role: "cell", colspan: COLUMNS.length + 1}, parts.flat()));
}

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
  try { name = decodeURIComponent(name); } catch { /* a name that is no encoding is taken as it is */ }
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
