"""How a recipe is trained: settings, grouped by what they speak of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1, le=10**12)]


class Section(BaseModel):
    """A part of a recipe: frozen, strict about types, without unknown keys and without numbers that are not finite."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class BatchSettings(Section):
    """What one step sees, over all processes together.

    Attributes
    ----------
    size : int
        Structures.
    by_size : bool
        Whether the structures of a batch are alike in size, so that little is padded.
    """

    size: Annotated[int, Field(ge=1, le=10**6)] = 256
    by_size: bool = False


class OptimizerSettings(Section):
    """How gradients become steps.

    Attributes
    ----------
    kind : "adamw" or "muon"
        Muon is for the matrices that carry a network's depth; all else is AdamW's.
    learning_rate : float
        The largest; it falls to 0 along a half cosine.
    warmup : int
        Steps over which it rises before.
    weight_decay : float
        Of matrices.
    clip : float or None
        The largest norm of the gradient.
    """

    kind: Literal["adamw", "muon"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    warmup: Annotated[int, Field(ge=0, le=10**12)] = 1000
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 0.01
    clip: Annotated[float, Field(gt=0)] | None = 1.0


class AverageSettings(Section):
    """The moving average of the weights, which is what is sampled from.

    Attributes
    ----------
    decay : float
        The decay of an update, in the long run.
    """

    decay: Annotated[float, Field(ge=0, lt=1)] = 0.9995


class ComputeSettings(Section):
    """How numbers are worked out.

    Attributes
    ----------
    precision : "fp32" or "bf16"
        bf16 is autocast: weights stay float32. Several processes agree with one to three digits, in fp32 to five.
    compile : bool
        Whether the denoiser is compiled, which on a CPU needs a C++ compiler.
    """

    precision: Literal["fp32", "bf16"] = "bf16"
    compile: bool = False


class SaveSettings(Section):
    """When the state is saved from which a run goes on after any kill.

    Attributes
    ----------
    every : int
        Steps between two states.
    """

    every: Count = 1000


class SampleSettings(Section):
    """When structures are sampled and evaluated during training.

    Attributes
    ----------
    every : int
        Steps between two evaluations; 0 for none.
    count : int
        Structures that are sampled each time.
    """

    every: Annotated[int, Field(ge=0, le=10**12)] = 5000
    count: Annotated[int, Field(ge=1, le=10**5)] = 256


class LogSettings(Section):
    """When a line is written to log.jsonl.

    Attributes
    ----------
    every : int
        Steps between two lines.
    tracker : "tensorboard" or None
        Where the same numbers are written as well.
    """

    every: Count = 50
    tracker: Literal["tensorboard"] | None = None


class TrainingSettings(Section):
    """How a model is trained.

    Attributes
    ----------
    steps : int
        Steps of the optimizer.
    seed : int
        Of the first weights, the order of the data and all noise.
    start : str or None
        A checkpoint (folder, bundled name or hub id) whose weights training starts from, of the same network and
        code; the process may be another one.
    batch, optimizer, average, compute, save, sample, log
        Sections.
    """

    steps: Count = 100_000
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    start: str | None = None
    batch: BatchSettings = BatchSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    average: AverageSettings = AverageSettings()
    compute: ComputeSettings = ComputeSettings()
    save: SaveSettings = SaveSettings()
    sample: SampleSettings = SampleSettings()
    log: LogSettings = LogSettings()
