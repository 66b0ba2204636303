"""The folder of compiled programs of a user."""

from __future__ import annotations

import os

import pytest

from gradaudit.backend.cache_folder import drop_oldest, made, prepared_folder
from gradaudit.errors import SettingError


def test_the_oldest_files_go_first(tmp_path):
    for age, name in enumerate(["new", "middle", "old"]):
        path = tmp_path / name
        path.write_bytes(b"0" * 100)
        os.utime(path, (1e9 - age, 1e9 - age))
    drop_oldest(tmp_path, most=250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle", "new"]
    drop_oldest(tmp_path / "nowhere")


def test_the_folder_is_made_in_that_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = prepared_folder()
    assert folder is not None
    assert folder.is_dir()
    assert folder == prepared_folder()


def test_there_is_none_where_it_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert prepared_folder() is None


def test_one_that_a_user_names_and_that_cannot_be_made_is_refused_by_name(tmp_path):
    assert made(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingError, match=r"cannot be kept in .*file/c: .*GRADAUDIT_CACHE"):
        made(tmp_path / "file" / "c")
