/*
Copyright (c) 2026, azureml.arc contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
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
