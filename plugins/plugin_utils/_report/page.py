# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet report as a page: one file that loads nothing from elsewhere.

The page contains the data as JSON, and the script creates only text nodes from it, so that text from clusters is never
markup. The content security policy allows this style and this script, by their hashes, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from collections.abc import Mapping

# The files of the script, in the order in which they use each other.
_SCRIPTS = ("base.js", "summary.js", "timeline.js", "cells.js", "table.js", "main.js")
# A script element ends at the first "</script" and begins a comment at "<!--", whatever surrounds it.
_ESCAPED_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def page(report: Mapping) -> str:
    """Return the page of a report."""
    style, script = _part("page.css"), "".join(_part(name) for name in _SCRIPTS)
    data = json.dumps(report, separators=(",", ":"))
    for mark, escaped in _ESCAPED_IN_SCRIPT.items():
        data = data.replace(mark, escaped)
    return _part("page.html").format(
        headline=html.escape(report["headline"]),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        report=data,
    )


def _part(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), "page_parts", name), encoding="utf-8") as file:
        return file.read()


def _hash(text: str) -> str:
    """Return a hash in the format of content security policies, see https://www.w3.org/TR/CSP3/#framework-directive-source-list"""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
