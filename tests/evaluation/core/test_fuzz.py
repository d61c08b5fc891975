"""Mutated files: evaluated, or refused with an error that names the file; never anything else."""

import importlib.util
import random
from pathlib import Path

import pytest

from symdiff.errors import UserError
from symdiff_evaluation.core.evaluation import evaluate
from symdiff_evaluation.core.execution import Execution
from symdiff_evaluation.core.guess import guess
from symdiff_evaluation.core.kinds import load_kind
from symdiff_evaluation.core.protocol import load
from symdiff_evaluation.core.sample_files import SampleFiles

spec = importlib.util.spec_from_file_location(
    "fuzz_evaluation", Path(__file__).parents[3] / "benchmarks" / "fuzz_evaluation.py"
)
fuzz = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fuzz)
ONLY_READ = ("molecule-3d", "lattice")  # their numbers take seconds; the script evaluates them too


def records(path, arguments):
    """How many records an evaluation finds in a file."""
    protocol = load(arguments[-1] if arguments else guess([path]))
    if protocol.kind in ONLY_READ:
        return load_kind(protocol.kind).count_records(load_kind(protocol.kind).read(SampleFiles([path]), Execution(0)))
    return evaluate([path], protocol, "none", execution=Execution(0)).total


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(fuzz.originals()))
def test_mutated_files(name, tmp_path):
    content, arguments = fuzz.originals()[name]
    path, rng = tmp_path / name, random.Random(name)
    path.write_bytes(fuzz.packed(content, name))
    assert records(path, arguments) > 0
    for _ in range(8):
        path.write_bytes(fuzz.mutated(content, name, rng))
        try:
            records(path, arguments)
        except UserError as error:
            assert name in str(error) and "\n" not in str(error), error
