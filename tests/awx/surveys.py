# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation of surveys and of their answers. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ENCRYPTED = "$encrypted$"
ANSWER_TYPES = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": (str, list),
    "integer": int,
    "float": (float, int),
}
REQUIRED_KEYS = {"type": str, "question_name": str, "variable": str, "required": bool}


def problem(survey: dict) -> str | None:
    """Return the error of AWX for an invalid survey, C(None) for a valid one."""
    for key, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(key), kind):
            return f"Field '{key}' is missing from survey spec."
    if not survey["spec"]:
        return "'spec' doesn't contain any items."
    variables = [question.get("variable") for question in survey["spec"]]
    if len(set(variables)) < len(variables):
        return "'variable' duplicated in survey question."
    return next(filter(None, (_question_problem(index, one) for index, one in enumerate(survey["spec"]))), None)


def _question_problem(index: int, question: dict) -> str | None:
    for key, kind in REQUIRED_KEYS.items():
        if not isinstance(question.get(key), kind):
            return f"'{key}' missing from survey question {index} or of the wrong type"
    kind, default = question["type"], question.get("default", "")
    if kind not in ANSWER_TYPES:
        return f"'{kind}' in survey question {index} is not one of the allowed question types."
    if default != "" and not isinstance(default, ANSWER_TYPES[kind]):
        return f"Default value {default} in survey question {index} expected to be {kind}."
    if any(question.get(key) is not None and not isinstance(question[key], int) for key in ("min", "max")):
        return f"The limit in survey question {index} expected to be integer."
    if kind in ("multiplechoice", "multiselect"):
        if "choices" not in question:
            return f"Survey question {index} of type {kind} must specify choices."
        if any(line not in question["choices"] for line in str(default).splitlines()):
            return "Default choice must be answered from the choices listed."
    if str(default).startswith(ENCRYPTED):  # also of a new password question, which has no earlier default to keep
        return "$encrypted$ is a reserved keyword for password question defaults, survey question is new."
    return None


def shown(survey: dict) -> dict:
    """Return a survey as in a response: without the defaults of passwords."""
    questions = [
        {**one, "default": ENCRYPTED} if one["type"] == "password" and one.get("default") else one
        for one in survey.get("spec", ())
    ]
    return {**survey, "spec": questions} if questions else survey


def variables(survey: dict) -> set[str]:
    """Return the variables of a survey."""
    return {one["variable"] for one in survey.get("spec", ())}


def hidden(survey: dict, answers: dict) -> dict:
    """Return answers as AWX shows them in a job: without passwords."""
    passwords = {one["variable"] for one in survey.get("spec", ()) if one["type"] == "password"}
    return {name: ENCRYPTED if name in passwords else value for name, value in answers.items()}


def answer_problems(survey: dict, answers: dict, required: bool) -> list[str]:
    """Return the errors in the answers to a survey.

    :param required: whether all required questions must have an answer.
    """
    return [one for question in survey.get("spec", ()) for one in _answer_problems(question, answers, required)]


def _answer_problems(question: dict, answers: dict, required: bool) -> Iterable[str]:
    name, kind = question["variable"], question["type"]
    if name not in answers:
        if question["required"] and required:
            yield f"'{name}' value missing"
        return
    value: Any = answers[name]
    if kind in ("text", "textarea", "password"):
        if not isinstance(value, str):
            yield f"Value {value} for '{name}' expected to be a string."
            return
        size = len(value)
    elif kind == "integer":
        if not isinstance(value, int) or isinstance(value, bool):
            yield f"Value {value} for '{name}' expected to be an integer."
            return
        size = value
    else:
        if value not in question["choices"]:
            yield f"Value {value} for '{name}' expected to be one of {question['choices']}."
        return
    if question.get("min") not in ("", None) and size < question["min"]:
        yield f"'{name}' value {value} is too small (must be at least {question['min']})."
    if question.get("max") not in ("", None) and size > question["max"]:
        yield f"'{name}' value {value} is too large (must be no more than {question['max']})."
