# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet report as a page: one file, nothing from elsewhere.

The data stands in the page as JSON, and the script makes nodes of text from it, never markup, so that what a cluster
says stays what it is: text. A content security policy forbids the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff; --band: #f6f8fa;
  --ok: #57606a; --changed: #1a7f37; --failed: #cf222e; --unreachable: #8250df;
  --preflight: #8c959f; --extension: #0969da; --readiness: #bf8700; --attach: #1a7f37; --cluster: #8250df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117;
  --band: #151b23; --ok: #9198a1; --changed: #3fb950; --failed: #f85149; --unreachable: #ab7df8;
  --preflight: #6e7681; --extension: #4493f8; --readiness: #d29922; --attach: #3fb950; --cluster: #ab7df8; } }
body { margin: 0 auto; max-width: 90rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; } p { margin: .3rem 0 1rem; color: var(--soft); }
#bar { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-bottom: .8rem; }
button { font: inherit; color: inherit; background: var(--band); border: 1px solid var(--line); border-radius: .4rem;
  padding: .3rem .8rem; cursor: pointer; } button[aria-pressed=true] { border-color: var(--ink); font-weight: 600; }
input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: .4rem;
  padding: .3rem .6rem; min-width: 16rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .6rem; vertical-align: top;
  border-bottom: 1px solid var(--line); } th { position: sticky; top: 0; background: var(--paper); }
th button { border: 0; background: none; padding: 0; font-weight: 600; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; } th button { white-space: nowrap; }
tr.row { cursor: pointer; } tr.row:hover { background: var(--band); }
.outcome { font-weight: 600; } .ok { color: var(--ok); } .changed { color: var(--changed); }
.failed { color: var(--failed); } .unreachable { color: var(--unreachable); }
.time { width: 28%; min-width: 12rem; } .track { position: relative; height: 1rem; background: var(--band);
  border-radius: .2rem; } .track i { position: absolute; top: 0; bottom: 0; min-width: 2px; border-radius: .2rem; }
.key { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; margin: 0 .3rem 0 .8rem; }
.detail td { background: var(--band); } .detail h2 { font-size: 1rem; margin: .4rem 0 .2rem; }
.detail pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0; font: 12px/1.4 ui-monospace, monospace; }
@media print { #bar { display: none; } body { max-width: none; padding: 0; } th { position: static; }
  tr { break-inside: avoid; } .track, .track i, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

_SCRIPT = """
"use strict";
const report = JSON.parse(document.getElementById("report").textContent);
const outcomes = ["failed", "unreachable", "changed", "ok"];
const phases = ["preflight", "extension", "readiness", "attach", "cluster"];
const total = Math.max(report.seconds, 0.001);
function node(name, text, attributes) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  return made;
}
const seconds = one => one.phases.length
  ? Math.max(...one.phases.map(span => span.end)) - Math.min(...one.phases.map(span => span.start)) : 0;
const columns = [
  ["cluster", one => one.name],
  ["wave", one => one.wave],
  ["outcome", one => outcomes.indexOf(one.outcome), one => one.outcome],
  ["extension", one => one.extension ? one.extension.action : ""],
  ["version", one => one.extension ? one.extension.version : ""],
  ["pods", one => one.readiness ? one.readiness.summary : ""],
  ["compute", one => one.computes.map(compute => compute.name + " " + compute.provisioning_state).join(", ")],
  ["seconds", seconds, one => seconds(one).toFixed(1)],
];
const searched = new Map(report.clusters.map(one => [one, JSON.stringify(one).toLowerCase()]));
let sorting = {column: 2, down: false}, shown = null;
const body = node("tbody");

function timeline(one) {
  const track = node("div", null, {class: "track"});
  for (const span of one.phases) {
    const bar = node("i", null, {title: span.name + ": " + (span.end - span.start).toFixed(1) + " s"});
    bar.style.left = 100 * span.start / total + "%";
    bar.style.width = 100 * Math.max(span.end - span.start, 0) / total + "%";
    bar.style.background = "var(--" + span.name + ")";
    track.append(bar);
  }
  return track;
}
function detail(one) {
  const cell = node("td", null, {colspan: columns.length + 1});
  const section = (title, lines) => {
    if (lines.length) cell.append(node("h2", title), ...lines.map(line => node("pre", line)));
  };
  section("Why it failed", one.failures.map(failure => [failure.task + ": " + failure.message,
    failure.hint && !failure.message.includes(failure.hint) ? failure.hint : "",
    failure.code ? "code " + failure.code : "",
    failure.correlation_id ? "correlation id " + failure.correlation_id : ""].filter(Boolean).join("\\n")));
  if (one.readiness) {
    section("Health check", one.readiness.health_check.map(found =>
      found.code + " " + found.name + ": " + found.message + " " + found.hint));
    section("Not ready", one.readiness.not_ready.map(row =>
      row.kind + " " + row.name + ": " + row.reason + (row.message ? ": " + row.message : "")));
  }
  if (one.extension) section("Settings changed", Object.entries(one.extension.changes).map(([key, change]) =>
    key + ": " + (change.before || "(unset)") + " \\u2192 " + (change.after || "(unset)")));
  section("Warnings", one.warnings);
  if (!cell.childNodes.length) cell.append(node("pre", one.extension ? one.extension.reason : "nothing more is known"));
  const row = node("tr", null, {class: "detail"});
  row.append(cell);
  return row;
}
function row(one) {
  const made = node("tr", null, {class: "row", tabindex: "0", "aria-expanded": "false"});
  for (const [name, key, label] of columns) {
    made.append(node("td", (label || key)(one), name === "outcome" ? {class: "outcome " + one.outcome} : {}));
  }
  const time = node("td", null, {class: "time"});
  time.append(timeline(one));
  made.append(time);
  const toggle = () => {
    const open = made.getAttribute("aria-expanded") === "true";
    made.setAttribute("aria-expanded", String(!open));
    if (open) made.nextSibling.remove(); else made.after(detail(one));
  };
  made.addEventListener("click", toggle);
  made.addEventListener("keydown", event => { if (event.key === "Enter") toggle(); });
  return made;
}
function draw() {
  const words = document.getElementById("filter").value.toLowerCase().split(/\\s+/).filter(Boolean);
  const key = columns[sorting.column][1];
  const found = report.clusters.filter(one => (shown === null || one.outcome === shown)
    && words.every(word => searched.get(one).includes(word)));
  found.sort((one, other) => {
    const left = key(one), right = key(other);
    const order = typeof left === "number" ? left - right : String(left).localeCompare(String(right));
    return (sorting.down ? -order : order) || one.name.localeCompare(other.name);
  });
  body.replaceChildren(...found.map(row));
  document.getElementById("count").textContent = found.length + " of " + report.clusters.length + " clusters";
  document.querySelectorAll("th[data-column]").forEach(head => {
    const mine = Number(head.dataset.column) === sorting.column;
    head.setAttribute("aria-sort", mine ? (sorting.down ? "descending" : "ascending") : "none");
  });
  document.querySelectorAll("button[data-outcome]").forEach(button =>
    button.setAttribute("aria-pressed", String(button.dataset.outcome === shown)));
}
document.title = "Fleet report: " + report.playbook;
document.getElementById("title").textContent = report.playbook;
document.getElementById("when").textContent = report.started + ", " + report.seconds.toFixed(1) + " s";
const bar = document.getElementById("bar");
for (const outcome of outcomes) {
  const button = node("button", report.totals[outcome] + " " + outcome, {"data-outcome": outcome, class: outcome});
  button.addEventListener("click", () => { shown = shown === outcome ? null : outcome; draw(); });
  bar.prepend(button);
}
document.getElementById("filter").addEventListener("input", draw);
const head = node("tr");
columns.forEach(([name], column) => {
  const cell = node("th", null, {"data-column": column}), button = node("button", name);
  button.addEventListener("click", () => {
    sorting = {column, down: sorting.column === column && !sorting.down};
    draw();
  });
  cell.append(button);
  head.append(cell);
});
const legend = node("th", "timeline", {class: "time"});
for (const phase of phases) {
  const key = node("span", null, {class: "key"});
  key.style.background = "var(--" + phase + ")";
  legend.append(key, phase);
}
head.append(legend);
const table = node("table"), top_ = node("thead");
top_.append(head);
table.append(top_, body);
document.body.append(table);
window.addEventListener("beforeprint", () => document.querySelectorAll("tr.row[aria-expanded=false]").forEach(one => {
  if (one.querySelector(".failed, .unreachable")) one.click();
}));
draw();
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>Fleet report</title>
<style>{style}</style>
</head>
<body>
<h1 id="title">Fleet report</h1>
<p id="when"></p>
<div id="bar">
<input id="filter" type="search" placeholder="filter: name, error, code, pod ..." aria-label="filter">
<span id="count"></span>
</div>
<script type="application/json" id="report">{report}</script>
<script>{script}</script>
</body>
</html>
"""


def page(report: Mapping) -> str:
    """The page of a report."""
    data = json.dumps(report, separators=(",", ":"))
    # A script element ends at the first "</script" and begins a comment at "<!--", whatever stands around it.
    for mark, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        data = data.replace(mark, escaped)
    return _PAGE.format(style=_STYLE, script=_SCRIPT, report=data)
