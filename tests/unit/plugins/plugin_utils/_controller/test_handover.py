# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Data that one task of a run hands over to another."""

from __future__ import annotations

import stat

from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover


def test_content_is_taken_once_and_stays_readable(tmp_path):
    handover = Handover(str(tmp_path))
    handover.leave("f1", {"result": {"changed": True}})

    assert handover.taken("f1") == {"result": {"changed": True}}
    assert handover.take("f1") == {"result": {"changed": True}}
    assert handover.take("f1") is None
    assert handover.taken("f1") == {"result": {"changed": True}}
    assert handover.read("f2") is None


def test_only_the_user_can_read_the_files(tmp_path):
    Handover(str(tmp_path)).leave("../f1", {})

    (folder,) = tmp_path.iterdir()
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_first_host_to_claim_an_address_owns_it(tmp_path):
    handover = Handover(str(tmp_path))

    assert handover.claim("https://api", "f1") is None
    assert handover.claim("https://api", "f1") is None
    assert handover.claim("https://api", "f2") == "f1"
    assert handover.claim("https://other", "f2") is None
