/*
Copyright (c) 2026, azureml.arc contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
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
  return [node("span", {class: "outcome " + one.outcome}, mark + "\u00a0" + capital(word)), cause];
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
function failureItem(failure, fix) { // the first fix is shown separately
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
      ["Endpoint", one.endpoint && one.endpoint.summary],
      ["Jobs", one.jobs.length && one.jobs.map(job => node("div", {},
        job.studio_url ? node("a", {href: job.studio_url, rel: "noreferrer"}, job.summary) : job.summary))],
      ["Compute", one.computes.filter(compute => compute.name) // one that is not attached yet has no name
        .map(compute => compute.name + " " + compute.provisioning_state.toLowerCase()).join(", ")],
      ["Time", one.phases.map(phase => PHASES[phase.name] + " " + duration(phase.end - phase.start)).join(", ")],
      ["Link", node("a", {href: "#" + encodeURIComponent(one.name)}, "#" + one.name)],
    ]),
  ];
  return node("tr", {class: "detail", role: "row"}, node("td", {role: "cell", colspan: COLUMNS.length + 1}, parts.flat()));
}
