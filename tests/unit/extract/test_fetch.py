"""Downloads: https only, whole, and with the declared hash."""

from __future__ import annotations

import hashlib
import urllib.error
from dataclasses import replace

import pytest

from ember.errors import EmberError
from ember.extract import fetch as module
from ember.extract.fetch import fetch

URL = "https://example.org/a.csv"
CONTENT = b"a,b\n1,2\n"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def source(make_source):
    return replace(make_source(None, name="a.csv"), url=URL, sha256=DIGEST)


@pytest.fixture
def served(monkeypatch):
    monkeypatch.setattr(module, "_download", lambda url, path: path.write_bytes(CONTENT))


def test_fetched_whole(source, served, tmp_path):
    fetch(source, tmp_path / "to" / "a.csv")
    assert (tmp_path / "to" / "a.csv").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"sha256": "0" * 64}, ["SHA-256", DIGEST, "set EMBER_X"], id="another-hash"),
        pytest.param({"sha256": None}, ["--record"], id="no-hash"),
        pytest.param({"url": None}, ["no address"], id="no-address"),
        pytest.param({"url": "http://example.org/a.csv"}, ["Only https"], id="not-https"),
        pytest.param({"url": "file:///a.csv"}, ["Only https"], id="local-file"),
    ],
)
def test_refused_and_nothing_left(source, served, tmp_path, change, words):
    target = tmp_path / "to" / "a.csv"
    with pytest.raises(EmberError) as error:
        fetch(replace(source, **change), target, "EMBER_X")
    assert all(word in str(error.value) for word in ["data/a.csv", *words]), str(error.value)
    assert not target.parent.exists() or list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(urllib.error.URLError("no route"), id="network"),
        pytest.param(TimeoutError(), id="timeout"),
        pytest.param(OSError("the download is cut off"), id="cut-off"),
    ],
)
def test_failed_download_names_file_and_address(source, monkeypatch, tmp_path, failure):
    def fail(url, path):
        path.write_bytes(b"half")
        raise failure

    monkeypatch.setattr(module, "_download", fail)
    with pytest.raises(EmberError) as error:
        fetch(source, tmp_path / "to" / "a.csv")
    assert "data/a.csv" in str(error.value) and URL in str(error.value)
    assert list((tmp_path / "to").iterdir()) == []
