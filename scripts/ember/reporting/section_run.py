"""What the run found, what limits the answer, and where everything came from."""

from __future__ import annotations

from ember.registry.questionnaires import scores_of
from ember.reporting.blocks import Block, Bullets, Definitions, Heading, Section, Table, Text, table
from ember.reporting.facts import Facts, Row
from ember.reporting.section_decisions import status_words
from ember.reporting.words import CAUTION, plain, sentence
from ember.validate.gate_rule import STAGES

HASH_SHOWN = 12
CARRIED = ("n_in", "n_created", "n_out")
GATE_WORDS = {
    "raw": "raw files",
    "standardised": "standardised tables",
    "harmonised": "harmonised tables",
    "analysis": "analysis sets",
}


def run_section(facts: Facts) -> Section:
    """Return findings with their answers, gates, rules and accounts."""
    blocks: list[Block] = []
    findings = facts.lines("findings")
    blocks.append(findings_table(facts, findings) if findings else Text("Nothing had to be answered."))
    blocks.append(Heading("Gates"))
    blocks.append(Text(gate_words(facts)))
    failed = [row for row in facts.lines("gates") if not row["passed"] and row["severity"] != "information"]
    if failed:
        blocks.append(gates_table(facts, failed))
    blocks += [Heading("What was not simply carried on"), rules_table(facts), accounting_table(facts)]
    return Section("run", "What the run found", blocks)


def findings_table(facts: Facts, findings: list[Row]) -> Table:
    """Return what the study had to answer or know, errors first."""
    order = {"error": 0, "warning": 1, "information": 2}
    printed = [
        [
            row["finding"], row["severity"], facts.count(row["n"]),
            row["message"], (
                f"{row['action']}: "
                f"{row['reason']}"
            ) if row["answered"] else ("open" if row["severity"] == "error" else "–"),
        ]
        for row in sorted(findings, key=lambda row: order[row["severity"]])
    ]  # fmt: skip
    columns = [("Finding", False), ("Severity", False), ("n", True), ("What", False), ("Answer of the study", False)]
    return table("findings", "Findings and answers", columns, printed, facts.protection_notes)


def gate_words(facts: Facts) -> str:
    """Return in a sentence how many expectations held at each gate."""
    rows = facts.lines("gates")
    if not rows:
        return "No gate ran."
    parts = []
    for stage in dict.fromkeys(row["stage"] for row in rows):
        own = [row for row in rows if row["stage"] == stage and row["severity"] != "information"]
        passed = sum(1 for row in own if row["passed"])
        parts.append(f"{passed} of {len(own)} expectations held on the {GATE_WORDS.get(stage, plain(stage))}")
    return sentence("; ".join(parts))


def gates_table(facts: Facts, failed: list[Row]) -> Table:
    """Return the expectations that did not hold."""
    printed = [
        [
            plain(row["stage"]), facts.names.site(row["site"]) if row["site"] else "–", row["title"], row["severity"],
            *(("–", "–") if _stays(row) else (facts.count(row["n_failed"]), facts.size(row["n_checked"]))),
        ]
        for row in failed
    ]  # fmt: skip
    notes = ["Counts of raw files and of analysis sets stay at the site."] if any(map(_stays, failed)) else []
    columns = [
        ("Gate", False), (facts.names.site_word, False), ("Expectation", False), ("Severity", False),
        ("Failed", True), ("Checked", True)
    ]  # fmt: skip
    return table("gates", "Expectations that did not hold", columns, printed, [*notes, *facts.protection_notes])


def _stays(row: Row) -> bool:
    """Return whether a gate's verdict came without its counts."""
    return row["stage"] not in STAGES or (row.get("unit") or "row") != "row"


def rules_table(facts: Facts) -> Table:
    """Return how often each rule acted, with one column a site."""
    rows = facts.lines("rules")
    sites = [site for site in [*facts.sites, ""] if any(row["site"] == site for row in rows)]
    lines: dict[tuple[str, str, str, str], dict[str, list[int | None]]] = {}
    for row in rows:
        line = (row["stage"], row["action"], row["title"], row["unit"])
        lines.setdefault(line, {}).setdefault(row["site"], []).append(row["n"])
    printed: list[list[str]] = []
    stage_shown = None
    stages = list(dict.fromkeys(stage for stage, _, _, _ in lines))
    for (stage, action, title, unit), cells in sorted(lines.items(), key=lambda line: stages.index(line[0][0])):
        if stage != stage_shown:
            printed.append([stage_words(stage)])
            stage_shown = stage
        counts = [_sum_text(facts, cells.get(site, [0])) for site in sites]
        printed.append([f"  {title}", action, f"{unit}s", *counts])
    names = [facts.names.site(site) if site else "No site" for site in sites]
    columns = [("Rule", False), ("Action", False), ("Unit", False), *[(name, True) for name in names]]
    return table("rules", "Rules that acted, by stage", columns, printed, facts.protection_notes, folded=True)


def _sum_text(facts: Facts, counts: list[int | None]) -> str:
    known = [n for n in counts if n is not None]
    return facts.count(None if len(known) < len(counts) else sum(known))


def stage_words(stage: str) -> str:
    """Return a stage of the pipeline in words."""
    kind, _, name = stage.partition(":")
    words = {
        "read_source": "Reading the files",
        "standardise_site": "Standardising",
        "harmonise_site": "Harmonising",
        "analysis": "Building the analysis set",
        "endotypes": "Deriving endotypes",
        "usual_level": "Estimating usual levels",
    }.get(kind, plain(kind).capitalize())
    return f"{words}, {plain(name)}" if name else words


def accounting_table(facts: Facts) -> Table:
    """Return the account of every stage: what came in and what became of it."""
    names = ("n_in", "n_created", "n_out", "n_collapsed", "n_quarantined", "n_excluded")
    printed: list[list[str]] = []
    for site in dict.fromkeys(row["site"] for row in facts.lines("accounting")):
        printed.append([facts.names.site(site) if site else "Rows of no site"])
        for row in facts.lines("accounting", site=site):
            printed.append(
                [
                    f"  {stage_words(row['stage'])}",
                    f"{row['unit']}s",
                    *[(facts.size if name in CARRIED else facts.count)(row[name]) for name in names],
                ]
            )
    columns = [
        ("", False),
        ("Unit", False),
        ("In", True),
        ("Created", True),
        ("Out", True),
        ("Collapsed", True),
        ("Quarantined", True),
        ("Excluded", True),
    ]
    notes = ["In + created = out + collapsed + quarantined + excluded, in every line.", *facts.protection_notes]
    return table("accounting", "What came in and what became of it", columns, printed, notes, folded=True)


def limits_section(facts: Facts) -> Section:
    """Return what limits the answer, by design, assay, sample and model."""
    lines = [CAUTION]
    if facts.study.privacy == "synthetic":
        lines.append(
            "The data are synthetic, made with a known truth: they show how the pipeline works, not how people are."
        )
    if facts.study.design == "cross_sectional":
        lines.append(
            "Blood and questionnaire come from one visit: neither the order of "
            "events nor a cause can be read from them."
        )
    if facts.study.design == "cohort":
        lines.append(
            "Treatment was not randomised: unmeasured differences between the groups may explain an association."
        )
    lines.append(
        "One blood sample stands for a person's level; its error weakens associations and mislabels people near a cut."
    )
    lines.append(
        "Body mass index may lie on the path from inflammation to symptoms: "
        "adjusting for it, or not, changes the question."
    )
    if any(row["missing_data_method"] == "complete_cases" for row in facts.estimates):
        lines.append(
            "Participants without outcome or biomarker are left out (complete cases); the flow shows how many, and why."
        )
    pooled = [row for row in facts.estimates if row["level"] == "two_stage" and row["n_sites"]]
    if pooled:
        lines.append(
            f"{max(row['n_sites'] for row in pooled)} sites say little about how "
            "effects differ between sites: τ² and the "
            "prediction interval are themselves uncertain."
        )
    if facts.threshold > 1:
        lines.append(
            f"Small counts are protected (profile {facts.study.disclosure}: from 1 "
            f"to {facts.threshold - 1}, and what would "
            "reveal them). Two analyses whose people differ by a few are not compared by this rule."
        )
    blocks: list[Block] = [Bullets(lines)]
    unverified = unverified_rows(facts)
    if unverified:
        blocks += [Heading("Reference values that nobody has checked against their source yet"), Bullets(unverified)]
    return Section("limits", "Limits", blocks)


def unverified_rows(facts: Facts) -> list[str]:
    """Return the registry rows that the study uses and that are marked as not verified."""
    used: list[tuple[str, str]] = []
    for row in facts.lines("harmonisation"):
        used.append(("analytes", row["analyte"]))
        if row["assay_id"]:
            used.append(("assays", row["assay_id"]))
    used += [("instruments", row["instrument"]) for row in facts.estimates if row["instrument"]]
    sites = [facts.study.sites[site] for site in facts.included]
    used += [("instruments", name) for site in sites for name in scores_of(site, facts.registry)]
    used += [("instruments", name) for site in sites for t in site.tables for name in t.instruments]
    maps = [mapping for site in sites for t in site.tables for mapping in t.instruments.values()]
    used += [("value_sets", mapping.value_set) for mapping in maps if mapping.value_set]
    used += [("crosswalks", link.crosswalk) for mapping in maps for link in mapping.linked]
    for scheme in facts.study.schemes.values():
        composite = scheme.get("composite", {})
        used += [
            ("composite_references", f"{composite.get('reference')}|{name}") for name in composite.get("analytes", ())
        ]
        used.append(("within_person", scheme.get("usual_level", {}).get("within_person", "")))
    lines = []
    for table_name, key in dict.fromkeys(used):
        if facts.registry.has(table_name, key):
            row = facts.registry.row(table_name, key)
            if row.get("verified") == "false":
                lines.append(sentence(f"{row.get('label', key)}: {row['source']}"))
    return lines


def provenance_section(facts: Facts) -> Section:
    """Return inputs with their hashes, configuration, code and packages."""
    version = facts.version
    items = [("Version", str(version["version"])), ("Content id (SHA-256)", str(version["content_id"]))]
    for key, label in (
        ("configuration", "Configuration"),
        ("code", "Code"),
        ("lock", "Lock file"),
        ("python", "Python"),
    ):
        if isinstance(version.get(key), str):
            items.append((label, str(version[key])))
    items.append(("Release", status_words(facts.study)))
    items.append(("Seed", str(facts.study.seed)))
    items.append(("Disclosure profile", f"{facts.study.disclosure} (threshold {facts.threshold})"))
    blocks: list[Block] = [
        Text(
            "The version is a digest of the inputs, the configuration, the code and "
            "the lock file: the same content gives "
            "the same version and the same bytes. SHA256SUMS beside the report lists every file of the version."
        ),
        Definitions(items),
    ]
    if facts.lines("inputs"):
        blocks.append(inputs_table(facts))
    packages = version.get("packages")
    if isinstance(packages, dict) and packages:
        listed = ", ".join(f"{name} {packages[name]}" for name in sorted(packages))
        blocks += [Heading("Packages"), Text(f"{listed}.", "note")]
    return Section("provenance", "Provenance", blocks)


def inputs_table(facts: Facts) -> Table:
    """Return the files that were read."""
    printed = [
        [
            row["source"], row["file"], row["variant"] or "–", f"{row['bytes']:,}", facts.size(row["rows"]),
            f"{row['sha256'][:HASH_SHOWN]}…", "recorded at first reading" if row["recorded"] else "declared",
        ]
        for row in facts.lines("inputs")
    ]  # fmt: skip
    columns = [
        ("Source", False),
        ("File", False),
        ("Variant", False),
        ("Bytes", True),
        ("Rows", True),
        ("SHA-256", False),
        ("Hash", False),
    ]
    return table("inputs", "Input files", columns, printed, facts.protection_notes)
