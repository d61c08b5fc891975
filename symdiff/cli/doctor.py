"""``symdiff doctor``: what is installed, what the machine can do, and whether the right package is here."""

from __future__ import annotations

import typer

from symdiff.cli.options import Json

DISTRIBUTION = "symdiff-torch"
_PACKAGES = (
    *("torch", "diffusers", "accelerate", "safetensors", "rdkit", "pydantic", "ruamel.yaml", "networkx"),
    *("igraph", "fcd"),
)


def doctor(as_json: Json = False) -> None:
    """Check the installation: versions, devices, speed of bf16, and the package of the same name."""
    import platform

    from symdiff import __version__
    from symdiff.cli.progress import report

    problems = wrong_package()
    values: dict = {"symdiff": __version__, "python": platform.python_version(), "packages": versions()}
    if values["packages"]["torch"] is None:
        problems.append("torch is not installed: install the distribution symdiff-torch with its dependencies")
    else:
        values.update(devices())
    values["problems"] = problems
    lines = [f"symdiff {__version__}, Python {values['python']}"]
    lines += [f"{name:12} {version or 'not installed'}" for name, version in values["packages"].items()]
    lines += [f"{name:12} {values[name]}" for name in ("devices", "cores", "threads") if name in values]
    if "bf16_speedup" in values:
        lines.append(f"{'bf16':12} matrix products {values['bf16_speedup']:.1f} times as fast as fp32 on the cpu")
    lines += [f"problem: {problem}" for problem in problems] or ["no problems found"]
    report(values, "\n".join(lines), as_json)
    if problems:
        raise typer.Exit(1)


def versions() -> dict[str, str | None]:
    """The installed version of every package that matters, None where it is missing."""
    from importlib.metadata import PackageNotFoundError, version

    installed: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = None
    return installed


def wrong_package() -> list[str]:
    """Problems with the package index's other ``symdiff``, which has the same import name, by the metadata."""
    from importlib.metadata import distributions

    names = {(one.metadata["Name"] or "").lower().replace("_", "-") for one in distributions()}
    if "symdiff" not in names:
        return []
    advice = f"remove it (python -m pip uninstall symdiff), then python -m pip install --force-reinstall {DISTRIBUTION}"
    return [f"the distribution 'symdiff' is installed, another program with the same import name; {advice}"]


def devices() -> dict:
    """Devices, cores, and how many times faster bf16 matrix products are than float32 ones."""
    import os

    import torch

    cuda = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    speedup = _seconds(torch.float32) / _seconds(torch.bfloat16)
    return {"devices": ["cpu", *cuda], "cores": cores, "threads": torch.get_num_threads(), "bf16_speedup": speedup}


def _seconds(dtype, size: int = 512, repeats: int = 5) -> float:
    """The best of a few matrix products of ``size``."""
    import time

    import torch

    a = torch.ones(size, size, dtype=dtype)
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        _ = a @ a
        best = min(best, time.perf_counter() - start)
    return best
