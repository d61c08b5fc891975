"""Weights that a training starts from."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from symdiff.assembly import Model
from symdiff.denoisers.base import Denoiser
from symdiff.errors import UserError
from symdiff.nn.features import channels
from symdiff.pipeline import SymdiffPipeline
from symdiff.state import schema_from_plain


def start_from(source: str, model: Model) -> None:
    """Copy the weights of a checkpoint's networks and breaker.

    Where the denoiser reads more global inputs than the checkpoint's did, such as a condition, the weights of the new
    ones start at zero.

    Parameters
    ----------
    source : str
        A folder, a bundled checkpoint's name or a hub id.
    model : Diffusion or Autoencoder
        What is trained.

    Raises
    ------
    UserError
        Where there is no such checkpoint, or its weights do not fit.
    """
    other = SymdiffPipeline.load(source)
    for name, mine in model.parts.items():
        if not isinstance(mine, nn.Module):
            continue
        theirs = getattr(other, name, None)
        if theirs is None:
            raise UserError(f"training.start: {source}: it has no {name}")
        weights = theirs.state_dict()
        if isinstance(mine, Denoiser):
            weights = widen(weights, mine.state_dict(), count_new_inputs(theirs.config, mine.config))
        try:
            mine.load_state_dict(weights)
        except RuntimeError as error:
            reason = " ".join(str(error).split("\n")[1].split()) if "\n" in str(error) else str(error)
            raise UserError(f"training.start: {source}: its {name} does not fit the recipe: {reason}") from error


def count_new_inputs(before: Mapping, now: Mapping) -> int:
    """Count the graph-level channels that a denoiser reads after those that another one reads.

    Parameters
    ----------
    before, now : mapping
        The configs of the two: ``noisy`` and ``code`` are schemas.

    Returns
    -------
    int
        0 where z has graph-level channels, which stand behind them.
    """
    noisy = [schema_from_plain(config["noisy"]) for config in (before, now)]
    if any(
        field.axes == "whole" and not getattr(field, "vector", 0) for field in schema_from_plain(now["code"]).values()
    ):
        return 0
    return max(0, channels(noisy[1], "whole") - channels(noisy[0], "whole"))


def widen(weights: Mapping[str, Tensor], like: Mapping[str, Tensor], more: int) -> dict[str, Tensor]:
    """Add columns of zeros to the matrices that have that many more columns in another network.

    Parameters
    ----------
    weights : mapping of str to Tensor
        By name.
    like : mapping of str to Tensor
        The weights of the other network.
    more : int
        How many columns.

    Returns
    -------
    dict of str to Tensor
        All weights, widened or as they are.
    """
    wide = dict(weights)
    for name, weight in weights.items():
        if more and name in like and weight.ndim == 2 and like[name].shape == (len(weight), weight.shape[1] + more):
            wide[name] = nn.functional.pad(weight, (0, more))
    return wide
