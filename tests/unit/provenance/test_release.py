"""Versions: named after their content, published once, never overwritten."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from ember.errors import EmberError
from ember.provenance import release
from ember.registry.load import load_study


@pytest.fixture(scope="module")
def demo():
    return load_study("demo")


RECORDS = [{"source": "a", "file": "a.csv", "sha256": "1" * 64}, {"source": "b", "file": "b.csv", "sha256": "2" * 64}]


def finished(folder, report="<p>one</p>"):
    (folder / "figures").mkdir(parents=True)
    (folder / "report.html").write_text(report, encoding="utf-8")
    (folder / "figures" / "a.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "run.json").write_text("{}", encoding="utf-8")
    return folder


def test_a_version_is_its_label_and_twelve_digits_of_its_content(demo):
    found = release.identify(*demo, RECORDS)
    assert found["version"] == f"{demo[0].label}-{found['content_id'][:12]}"
    assert found["packages"]["polars"] and found["inputs"] == {"a": "1" * 64, "b": "2" * 64}
    assert release.identify(*demo, RECORDS) == found
    assert release.identify(*demo, RECORDS[::-1])["content_id"] == found["content_id"]


def test_another_input_or_another_key_is_another_version(demo):
    study, registry = demo
    first = release.identify(study, registry, RECORDS)["content_id"]
    other_input = [RECORDS[0], {**RECORDS[1], "sha256": "3" * 64}]
    assert release.identify(study, registry, other_input)["content_id"] != first
    other_key = replace(study, resolved={**study.resolved, "more": 1})
    assert release.identify(other_key, registry, RECORDS)["content_id"] != first


def test_a_finished_version_is_moved_with_its_sums(tmp_path):
    place = release.publish(finished(tmp_path / ".v1.partial"), "v1", tmp_path)
    assert place == tmp_path / "v1" and not (tmp_path / ".v1.partial").exists()
    sums = dict(reversed(line.split("  ")) for line in (place / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {"report.html", "figures/a.svg", "run.json"}
    assert sums["report.html"] == hashlib.sha256(b"<p>one</p>").hexdigest()


def test_the_same_bytes_again_are_left_alone(tmp_path):
    place = release.publish(finished(tmp_path / ".v1.partial"), "v1", tmp_path)
    before = {name: (place / name).stat().st_mtime_ns for name in release.files_below(place)}
    again = finished(tmp_path / ".v1.partial")
    (again / "run.json").write_text('{"machine": "other"}', encoding="utf-8")
    assert release.publish(again, "v1", tmp_path) == place
    assert {name: (place / name).stat().st_mtime_ns for name in release.files_below(place)} == before
    assert not again.exists()


def test_other_bytes_are_refused_and_the_first_differing_file_is_named(tmp_path):
    place = release.publish(finished(tmp_path / ".v1.partial"), "v1", tmp_path)
    with pytest.raises(EmberError, match=r"report\.html differs"):
        release.publish(finished(tmp_path / ".v1.partial", report="<p>two</p>"), "v1", tmp_path)
    assert (place / "report.html").read_text(encoding="utf-8") == "<p>one</p>"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param(lambda folder: (folder / "figures" / "a.svg").unlink(), "figures/a.svg", id="one_less"),
        pytest.param(lambda folder: (folder / "new.csv").write_text("1"), "new.csv", id="one_more"),
        pytest.param(lambda folder: (folder / "report.html").write_text("x"), "report.html", id="other_bytes"),
        pytest.param(lambda folder: (folder / "run.json").write_text("x"), None, id="run_record"),
    ],
)
def test_first_difference(tmp_path, change, named):
    one, other = finished(tmp_path / "one"), finished(tmp_path / "other")
    change(other)
    assert release.first_difference(one, other) == named
    assert release.first_difference(other, one) == named


def test_a_run_that_ends_half_way_leaves_no_version(tmp_path, monkeypatch):
    def killed(text, path):
        raise KeyboardInterrupt

    monkeypatch.setattr(release, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        release.publish(finished(tmp_path / ".v1.partial"), "v1", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".v1.partial"]


def test_gathering_starts_anew_and_puts_everything_in_its_place(tmp_path):
    report = tmp_path / "report"
    aggregate = tmp_path / "aggregate"
    for folder, name in ((report, "report.html"), (aggregate, "flow.csv"), (aggregate, "estimates.csv")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    target = tmp_path / ".v1.partial"
    target.mkdir()
    (target / "left_behind").write_text("x", encoding="utf-8")
    release.gather(report, aggregate, tmp_path / "manifest.json", target)
    assert release.files_below(target) == [
        "aggregate/flow.csv", "estimates.csv", "manifest.json", "report.html", "run.json",
    ]  # fmt: skip


def test_the_manifest_names_every_step_module_and_output(demo, tmp_path):
    (tmp_path / "a.csv").write_text("1", encoding="utf-8")
    found = release.manifest(*demo, {"version": "v"}, [("a.csv", tmp_path / "a.csv")])
    assert found["outputs"] == {"a.csv": {"sha256": hashlib.sha256(b"1").hexdigest(), "bytes": 1}}
    assert set(found["steps"]) == set(release.STEPS)
    assert "ember.models.linear" in found["modules"] and "ember.steps.fit_models" in found["modules"]
    assert found["seed"] == demo[0].seed
