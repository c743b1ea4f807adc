# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the files in the options of a task."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.files import Files
from ansible_collections.azureml.arc.plugins.module_utils._core.options import is_inline
from ansible_collections.azureml.arc.plugins.plugin_utils._controller import core


class ControllerFiles(Files):
    """The controller's files, as in kubernetes.core: also in the folder C(files), and encrypted with ansible-vault.

    Decrypted content stays in memory.

    :param action: the action of the task, with its folders and the vault's secrets.
    """

    def __init__(self, action: ActionBase) -> None:
        self._action = action

    def find(self, path: str) -> str:
        """Return the absolute path of a file, relative to the working directory if it is not found."""
        try:
            return core.found_file(self._action, path)
        except AnsibleError:
            return super().find(path)

    def read(self, path: str) -> bytes:
        """Return the content of a file, decrypted."""
        content = super().read(path)
        try:
            return core.decrypted(self._action._loader, content)
        except AnsibleError as error:
            raise ValueError(first_line(error)) from error


@contextlib.contextmanager
def real_files(action: ActionBase, connection, argument_spec: Mapping, arguments: Mapping) -> Iterator[Mapping]:
    """Yield the options for an ordinary module, which cannot decrypt files or find those of the play.

    On another machine, paths are those of that machine, as for kubernetes.core. Files that are decrypted for the
    module are readable only by this user, and removed afterwards.

    :param connection: the connection to the machine of the module.
    :param arguments: the options as a task gives them.
    """
    if connection.transport != "local":
        yield arguments
        return
    files, made = ControllerFiles(action), []

    def real_file(path: str) -> str:
        found = files.find(path)
        if not os.path.isfile(found):
            return path
        real = action._loader.get_real_file(found)
        if real != found:
            made.append(real)
        return real

    try:
        yield with_paths(arguments, argument_spec, real_file)
    finally:
        for path in made:
            action._loader.cleanup_tmp_file(path)


def with_paths(arguments: Mapping, argument_spec: Mapping, resolve: Callable[[str], str]) -> dict:
    """Return options with all paths of files replaced.

    :param arguments: as a task gives them, aliases included.
    :param resolve: takes a path, returns another one.
    """
    replaced = dict(arguments)
    for name, spec in _options(argument_spec):
        value = replaced.get(name)
        if not value:
            continue
        if name == "kubeconfig":
            if not is_inline(value):
                replaced[name] = os.pathsep.join(resolve(one) for one in str(value).split(os.pathsep) if one)
        elif spec.get("type") == "path":
            replaced[name] = resolve(value)
        elif spec.get("type") == "dict" and "options" in spec and isinstance(value, Mapping):
            replaced[name] = with_paths(value, spec["options"], resolve)
    return replaced


def _options(argument_spec: Mapping) -> Iterator[tuple[str, Mapping]]:
    for name, spec in argument_spec.items():
        for one in (name, *spec.get("aliases", ())):
            yield one, spec
