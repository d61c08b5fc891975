"""No more is worked out of a sample than the protocol's numbers need; what is, is the same."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from symdiff_evaluation.core import protocol as protocols
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.kinds import KINDS, load_kind
from symdiff_evaluation.core.write import write
from symdiff_evaluation.molecules import verdict
from symdiff_evaluation.molecules.build import build
from symdiff_evaluation.molecules.metrics import METRICS
from symdiff_evaluation.molecules.samples import MoleculeSamples, from_smiles, judge_all
from symdiff_evaluation.molecules.verdict import EVERYTHING, judge

TEXTS = [
    "CCO",
    "OCC",
    "",
    "C.CC",
    "CN(C)(C)C",
    "c1ccccc1",
    "[CH3]",
    "[H]OC",
    "C[C@H](O)F",
    "C/C=C/C",
    "[2H]C",
    "[CH3:1]C",
    "[NH4+]",
    "C(",
    "[O-][N+](=O)C",
]
FOUR = ["validity.strict", "validity.largest_fragment", "uniqueness", "uniqueness.largest_fragment"]
MOLECULES = load_kind("molecule-graph")


def protocol(metrics, reference="none"):
    return protocols.parse({"name": "p", "about": "a", "samples": 9, "reference": reference, "metrics": list(metrics)})


@pytest.fixture
def samples(tmp_path):
    path = tmp_path / "a.smi"
    path.write_text("\n".join(TEXTS))
    return path


def fail(*given, **named):
    raise AssertionError("nobody asked for this")


def test_validity_and_uniqueness_cost_nothing_else(samples, tmp_path, monkeypatch):
    for step in ("automorphisms", "count_stable", "measure_traits", "classify_atoms"):
        monkeypatch.setattr(verdict, step, fail)
    whole = evaluate([samples], protocol(FOUR))
    assert whole.samples.aspects == frozenset() and all(
        not judged.reason.startswith("error") for judged in whole.samples.verdicts
    )
    assert list(whole.estimates) == FOUR
    write(whole, tmp_path / "out")


@pytest.fixture(scope="module")
def reference():
    return build({"train": ["CCO", "CO", "c1ccccc1", "CC"]}, "tiny", fcd=False)


CHEAP = [
    name for metric in METRICS for name in metric.about if not name.startswith(("fcd", "moses", "sa", "distance.sa"))
]


@pytest.mark.parametrize("name", CHEAP)
def test_each_number_is_the_same_alone(name, samples, reference):
    alone = evaluate([samples], protocol([name]), reference)
    together = MOLECULES.measure(judge_all(alone.samples.records), reference, [name])
    assert alone.estimates[name].plain() == together[name].plain()
    assert alone.samples.aspects == MOLECULES.collect_needs([name]) <= EVERYTHING


@pytest.mark.parametrize(
    "aspects", [some for size in (0, 1, 2) for some in itertools.combinations(sorted(EVERYTHING), size)], ids="-".join
)
def test_the_verdict_does_not_depend_on_what_else_is_asked(aspects):
    for record in from_smiles(TEXTS).records:
        few, all_ = judge(record, frozenset(aspects)), judge(record)
        for key in ("smiles", "reason", "canonical", "fragment", "relaxed", "components", "radicals"):
            assert getattr(few, key) == getattr(all_, key), (record.text, key)


def test_a_metric_that_forgets_to_ask_is_told():
    records = from_smiles(["CC"]).records
    with pytest.raises(RuntimeError, match="needs"):
        _ = MoleculeSamples(records, (judge(records[0], frozenset()),), aspects=frozenset()).traits


@pytest.mark.parametrize("name", KINDS)
def test_needs_are_of_known_numbers(name):
    for metric in load_kind(name).metrics:
        assert set(metric.needs) <= set(metric.about)


@pytest.mark.slow
def test_unique_at_counts_the_first_valid_ones():
    texts = ["C("] * 5 + ["C" * (1 + k % 30) for k in range(900)] + ["CCO"] * 200
    found = MOLECULES.measure(from_smiles(texts), None, ["unique@1k", "unique@10k"])
    assert found["unique@1k"].value == 31 / 1000 and found["unique@1k"].count == 1000
    assert found["unique@10k"].value == 31 / 1100 and found["unique@10k"].count == 1100


@pytest.mark.slow
def test_molecules_are_scored_without_torch(samples, tmp_path):
    """It takes seconds to import, and as much memory as half a million molecules."""
    code = (
        f"import sys; from symdiff_evaluation.__main__ import main; "
        f"main({[str(samples), '--out', str(tmp_path / 'out')]!r}); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
