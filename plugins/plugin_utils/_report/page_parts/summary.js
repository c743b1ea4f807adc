/*
Copyright (c) 2026, azureml.arc contributors
GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
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
  if (report.check_mode) header.append(node("p", {class: "notice"}, "Check mode: nothing was changed."));
  document.body.classList.toggle("plan", report.check_mode);
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
  const waiting = report.clusters.filter(one => one.outcome === "not_started").map(one => one.name);
  const line = "--limit " + [...names, ...waiting].sort(byName).join(",");
  const code = node("code", {tabindex: "0"}, line);
  const copy = node("button", {class: "button", type: "button"}, "Copy");
  copy.addEventListener("click", () => copyText(line, code, copy));
  return node("section", {"aria-labelledby": "causes"},
    node("h2", {id: "causes"}, names.length + " failed: " + counts), list,
    node("p", {class: "retry"}, node("span", {}, "Run again with"), code, copy));
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
