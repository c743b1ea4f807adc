# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes that are made when they are first read."""

from __future__ import annotations

from collections.abc import Callable


class Lazy:
    """C(functools.cached_property) without its lock.

    Before Python 3.12, all instances of a class share that lock, so a cluster that waits for a response would block
    all others.
    """

    def __init__(self, make: Callable) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __get__(self, instance, owner=None):
        value = instance.__dict__[self._make.__name__] = self._make(instance)
        return value
