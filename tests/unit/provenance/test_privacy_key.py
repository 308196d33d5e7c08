"""The key of the pseudonyms: published for open studies, guarded for restricted ones."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ember.errors import EmberError
from ember.provenance.digest import sha256_of_file
from ember.provenance.privacy_key import PUBLISHED_KEY, key_fingerprint, pseudonym_key


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    return SimpleNamespace(privacy="restricted", workspace=folder, folder=folder)


@pytest.fixture
def key_file(tmp_path):
    def write(content=b"\x07" * 32, mode=0o600, folder=tmp_path):
        path = Path(folder) / "key"
        path.write_bytes(content)
        path.chmod(mode)
        return {"EMBER_KEY_FILE": str(path)}

    return write


@pytest.mark.parametrize("privacy", ["synthetic", "public"])
def test_open_study_uses_the_published_key(study, key_file, privacy):
    study.privacy = privacy
    assert pseudonym_key(study, key_file()) == PUBLISHED_KEY
    assert len(PUBLISHED_KEY) >= 32


def test_restricted_study_uses_its_own(study, key_file):
    assert pseudonym_key(study, key_file()) == b"\x07" * 32


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        pytest.param({"content": b"x" * 31}, "31 bytes", id="short"),
        pytest.param({"mode": 0o640}, "read by others", id="group-may-read"),
        pytest.param({"mode": 0o604}, "read by others", id="all-may-read"),
    ],
)
def test_bad_file_is_refused(study, key_file, keys, words):
    with pytest.raises(EmberError, match=words):
        pseudonym_key(study, key_file(**keys))


def test_key_inside_the_study_is_refused(study, key_file):
    with pytest.raises(EmberError, match="inside the study"):
        pseudonym_key(study, key_file(folder=study.workspace))


def test_link_to_a_key_inside_the_study_is_refused(study, key_file, tmp_path):
    key_file(folder=study.workspace)
    (tmp_path / "link").symlink_to(study.workspace / "key")
    with pytest.raises(EmberError, match="inside the study"):
        pseudonym_key(study, {"EMBER_KEY_FILE": str(tmp_path / "link")})


@pytest.mark.parametrize("environment", [{}, {"EMBER_KEY_FILE": ""}], ids=["unset", "blank"])
def test_no_key_is_refused(study, environment):
    with pytest.raises(EmberError, match="not set"):
        pseudonym_key(study, environment)


def test_absent_file_is_refused(study, tmp_path):
    with pytest.raises(EmberError, match="does not exist"):
        pseudonym_key(study, {"EMBER_KEY_FILE": str(tmp_path / "none")})


def test_fingerprint_tells_keys_apart_and_does_not_show_them():
    assert key_fingerprint(b"a" * 32) != key_fingerprint(b"b" * 32)
    assert len(key_fingerprint(b"a" * 32)) == 16


def test_digest_of_a_file(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "f") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
