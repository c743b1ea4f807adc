/*
Copyright (c) 2026, azureml.arc contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
"use strict";

const report = JSON.parse(document.getElementById("report").textContent);
const OUTCOMES = {
  failed: ["\u2715", "failed"], unreachable: ["\u26a0", "unreachable"], not_started: ["\u25cb", "not started"],
  changed: report.check_mode ? ["\u25cb", "would change"] : ["\u2713", "changed"], ok: ["\u2713", "unchanged"],
};
const ORDER = Object.keys(OUTCOMES);
const BAD = ["failed", "unreachable"];
const PHASES = {
  checks: "Checks", setup: "Cluster setup", extension: "Extension", readiness: "Pods", attachment: "Attachment",
  proof: "Proof",
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
// The text of a value and its nested values, for the filter.
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
