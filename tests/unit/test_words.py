# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and code contain no forbidden phrases, and documentation agrees with tests, variables and modules."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
import yaml

from package import variables_page

ROOT = Path(__file__).resolve().parents[2]
# Regular expression of a phrase, and its replacement.
FORBIDDEN = {
    r"\bas wanted\b": "in sync, as configured",
    r"\bas it was\b(?! read)": "unchanged",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\b(what|who) (has )?bec(ame|omes?) of\b": "the result of",
    r"\bstands? for a cluster\b|\bthe (host|cluster) stands for\b": "represents",
    r"\b(tells?|told) (each|a|the) host\b": "report the result",
    r"\btak(e|en|es) up\b": "join, resume",
    r"\btake it away\b|\btakes (something )?away\b": "remove",
    r"\bthat is none\b": "invalid",
    r"\bsays? nothing of\b": "unset options are left unchanged",
    r"\bin (his|their) own words\b|\bin a person's words\b": "(omit)",
    r"\bas ever\b|\bbe it\b": "(omit)",
    r"\bshall\b": "must, should, will",
    r"\bwhat is missing of\b": "the missing ...",
    r"\bsomebody who\b|\bnobody has thought of\b": "(name the role, or omit)",
    r"\bthe token stays here\b": "refusing to send the token to ...",
    r"\bmistakes?\b": "error",
    r"\bwhere it is not given, so\b|\bwhere it is sought\b": "defaults to, paths resolve",
    r"\bwhat is wanted\b": "the desired state",
    r"\bgone before it\b|\bperhaps\b": "may",
    r"\bazureml_kube_from\b": "azureml_kubernetes_via",
    r"\bazureml\.arc\.(converge|drift|outcome|wave|findings|cluster_options)\b": "(removed)",
    r"\bmodules? C?[`(](converge|drift|outcome|wave)[`)]": "(removed)",
    r"\bfrom where on\b|\bin whose name\b": "(rephrase)",
    r"\bgot over\b|\bget over\b": "retried, survived",
    r"\bof one's own\b|\b(plays|playbooks|modules?|rulebooks?) of your own\b": "your own",
    r"\bnobody\b|\bsomebody\b": "another client, an administrator, no task",
    r"\bunder way\b": "in progress",
    r"\bleft alone\b": "left unchanged",
    r"\b(is|are|also) sought\b": "searched",
    r"\bnothing else is said\b|\bunless (said|told)\b": "by default",
    r"\basked for\b": "requested, required, configured",
    r"\bcounts? before\b": "takes precedence over",
    r"\bbeside the cluster\b": "in the resource group of the cluster",
    r"\bcomes? to the same\b": "is equivalent",
    r"\bholds? (up|nobody)\b": "block",
    r"\bfor ever\b|\bof whom\b|\bwho would\b": "(rephrase)",
    r"\bhow (it|that) went\b": "the result",
    r"\bcan(not)? take the extension\b": "the extension can be installed",
    r"(C\(None\)|\bempty|:raises [\w, ]+:) where\b": "if",
    r"\bin words of ours\b|\bas of old\b|\bin vain\b|\bhowever often\b": "(rephrase)",
    r"\b(that|which) (is|are) not there\b": "that does not exist",
    r"\bbut for (those|that|what|its)\b": "except",
    r"\bsays? of (it|them)sel(f|ves)\b|\bwhat (is|was) said of\b": "reports",
    r"\bwhat (comes?|came|has come) of\b": "the result of",
    r"\bridden out\b": "retried",
    r"\bmissed by name\b": "the error names the missing ...",
    r"\banew\b|\bonce more\b": "again",
    r"\b(goes|went|go) on\b": "continue",
    r"\b(can|may not|to) be had\b": "available",
    r"\bwhoever\b": "the caller, the user",
    r"\boutlasts?\b": "take longer than, outlive",
    r"\blook(s|ed)? (again|once more) at\b|\blooked at again\b": "check again",
    r"\b(one|those|words|parts) of (ours|theirs)\b": "(name the owner)",
    r"\bas (it|they) (comes?|came)\b": "unchanged",
    r"\bis no (name|number|path)\b|\bis none of\b": "is not a ..., must be one of ...",
    r"\bno answer\b|\b(answer|response) is not one of\b": "no response, the response is not from ...",
    r"\bexclude each other\b": "are mutually exclusive",
    r"\bis not the (name|key|value) of an?\b": "is not a valid ...",
}
FOLDERS = ("docs", "plugins", "roles", "playbooks", "extensions", "tests", ".ci", ".github")
FILES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "noxfile.py")
TYPES = (".md", ".py", ".yml", ".js", ".html", ".sh")
TEST_NAME = re.compile(r"\bdef test_\w+")


def _words(name: re.Match) -> str:
    return name[0].replace("_", " ")


@functools.cache
def texts() -> dict[str, str]:
    """Return the content of documentation and code by path, without this file and recordings.

    Underscores in names of tests are replaced by spaces, so that patterns match the words of a name.
    """
    found = [ROOT / name for name in FILES]
    found += [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if path.suffix in TYPES]
    return {
        path.relative_to(ROOT).as_posix(): TEST_NAME.sub(_words, path.read_text(encoding="utf-8"))
        for path in found
        if path != Path(__file__) and "recordings" not in path.parts
    }


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_forbidden_phrase_is_not_used(pattern):
    compiled = re.compile(pattern, re.IGNORECASE)
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts().items()
        if compiled.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if compiled.search(line)
    ]

    assert found == [], f"write instead: {FORBIDDEN[pattern]}"


def test_documentation_refers_to_existing_tests():
    """A renamed or moved test file must be renamed in the documentation, too."""
    existing = [path.as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    pages = {path: text for path, text in texts().items() if path.endswith(".md")}
    named = {(path, name) for path, text in pages.items() for name in re.findall(r"[\w/]*\btest_\w+\.py", text)}

    assert len(named) > 10
    assert [one for one in sorted(named) if not any(path.endswith(f"/{one[1]}") for path in existing)] == []


def test_examples_of_modules_register_no_variable_of_the_collection():
    """Flows refuse unknown variables with its prefix, and a result must not replace a known one."""
    sources = {path: text for path, text in texts().items() if path.startswith("plugins/modules/")}
    found = {(path, name) for path, text in sources.items() for name in re.findall(r"register: (azureml_\w+)", text)}

    assert len(sources) > 10
    assert found == set()


def test_changelog_lists_each_module_with_its_version_and_description():
    releases = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"]
    listed = {
        one["name"]: (version, one["description"])
        for version, release in releases.items()
        for one in release.get("modules", ())
    }
    documented = {}
    for path in (ROOT / "plugins/modules").glob("*.py"):
        text = re.search(r'DOCUMENTATION = r"""(.*?)"""', path.read_text(encoding="utf-8"), re.DOTALL)[1]
        found = yaml.safe_load(text)
        documented[path.stem] = (found["version_added"], f"{found['short_description']}.")

    assert listed == documented


def test_page_of_variables_is_up_to_date():
    assert variables_page.PAGE.read_text(encoding="utf-8") == variables_page.page(), (
        "run: python tests/package/variables_page.py"
    )
