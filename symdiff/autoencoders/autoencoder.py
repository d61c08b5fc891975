"""An autoencoder: encoder, decoder and symmetry breaker. Its forward evaluates the objective."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from symdiff.autoencoders.base import Decoder, Encoder, per_structure
from symdiff.breaking.base import SymmetryBreaker
from symdiff.random import Generator
from symdiff.state import Categorical, Field, Logits, State, extent, node_mask, schema_from_plain


class Autoencoder(nn.Module):
    """z is drawn for the structure that is encoded, and by the rule for conditions where a latent is decoded.

    A latent c of the whole structure is fixed by every element of the group. Training chooses g̃ by canonicalizing the
    structure, decoding draws it uniformly from the group, which is the stabilizer of c: no assignment of nodes is
    searched for anywhere, since z says which node is which.

    Parameters
    ----------
    encoder : Encoder or None
        None where latents are only decoded.
    decoder : Decoder
        Predicts structures from latents and z.
    breaker : SymmetryBreaker
        Draws z.
    objective : Objective, optional
        What training minimizes; encoding and decoding need none.
    """

    encoder: Encoder

    def __init__(
        self,
        encoder: Encoder | None,
        decoder: Decoder,
        breaker: SymmetryBreaker,
        objective: Callable[..., Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder  # pyright: ignore[reportAttributeAccessIssue]
        self.decoder, self.breaker, self.objective = decoder, breaker, objective

    @property
    def parts(self) -> dict[str, Any]:
        """The components by name."""
        return {"encoder": self.encoder, "decoder": self.decoder, "breaker": self.breaker}

    def forward(self, x0: State, generator: Generator | None = None) -> Tensor:
        """Evaluate the objective for every structure.

        Parameters
        ----------
        x0 : State
            Clean structures, B rows.
        generator : Generator, optional
            The source of randomness: of z and of noise on latents.

        Returns
        -------
        Tensor
            (B,), the loss that training minimizes.

        Raises
        ------
        ValueError
            For an autoencoder without an objective.
        """
        if self.objective is None:
            raise ValueError("an autoencoder without an objective has no loss; give it one, such as Autoencoding()")
        return self.objective(self, x0, generator)

    @property
    def per_structure(self) -> bool:
        """Whether a latent belongs to a whole structure, not to a node."""
        return per_structure(schema_from_plain(self.decoder.config["latent"]))

    def draw(self, x: State, generator: Generator | None = None) -> State:
        """Draw the z with which structures are encoded.

        Parameters
        ----------
        x : State
            The structures.
        generator : Generator, optional
            The source of randomness.

        Returns
        -------
        State
            z given ``x``; where the breaker is not anchored in the data, z unrelated to ``x``.
        """
        return (
            self.breaker.sample(x, generator)
            if self.breaker.anchor == "data"
            else self.breaker.prior(x.mask, generator)
        )

    def encode(self, x: State, generator: Generator | None = None) -> State:
        """Encode structures; of a variational encoder this is the mean and the logarithm of the variance.

        Parameters
        ----------
        x : State
            The structures.
        generator : Generator, optional
            The source of randomness, of z alone.

        Returns
        -------
        State
            Latents, over ``encoder.latent``: no noise is added.
        """
        return self.encoder(x, self.draw(x, generator))

    def predict(self, latent: State, z: State) -> State:
        """Predict structures with a given z; latents of nodes are decoded without it.

        Parameters
        ----------
        latent : State
            Latents, as ``encode`` returns them.
        z : State
            The symmetry-breaking input, whose mask gives the sizes of the structures.

        Returns
        -------
        State
            A prediction: logits for labels, reals for reals.
        """
        return self.decoder(latent, z if self.per_structure else State(latent.mask, {}, {}))

    def decode(self, latent: State, generator: Generator | None = None) -> State:
        """Decode latents: the likeliest structure under the prediction, numbered as z says.

        Parameters
        ----------
        latent : State
            Over the field ``latent``; others are not read.
        generator : Generator, optional
            Draws z. The decoded structures differ by their numbering alone.

        Returns
        -------
        State
            As many nodes as the latent says.
        """
        mask = latent.mask
        if self.per_structure:
            sizes = self.decoder.sizes(latent)[:, 1:].argmax(-1) + 1
            mask = node_mask(sizes)
        out = self.predict(latent, self.breaker.prior(mask, generator) if self.per_structure else latent.only())
        return likeliest(out)

    def reconstruct(self, x: State, generator: Generator | None = None) -> tuple[State, State]:
        """Encode structures and decode them with the z that they were encoded with.

        Parameters
        ----------
        x : State
            The structures.
        generator : Generator, optional
            The source of randomness, of z alone.

        Returns
        -------
        structures : State
            Decoded, in the numbering of ``x`` and of its sizes; the sizes that latents imply are told by
            ``decoder.sizes``.
        latents : State
            As ``encode`` returns them.
        """
        z = self.draw(x, generator)
        latent = self.encoder(x, z)
        return likeliest(self.predict(latent, z)), latent

    def exact(self, x: State, generator: Generator | None = None) -> Tensor:
        """Tell which structures come back exactly: all labels, and the number of nodes. Real fields are not compared.

        Parameters
        ----------
        x : State
            The structures, B rows.
        generator : Generator, optional
            The source of randomness, of z alone.

        Returns
        -------
        Tensor
            (B,) bool.
        """
        decoded, latent = self.reconstruct(x, generator)
        same = torch.ones(len(x), dtype=torch.bool, device=x.device)
        if self.per_structure:
            same = self.decoder.sizes(latent).argmax(-1) == x.num_nodes
        for name, field in x.schema.items():
            if isinstance(field, Categorical) and name in decoded.schema:
                equal = (decoded[name] == x[name]) | ~extent(field, x.mask)
                same = same & equal.reshape(len(x), -1).all(1)
        return same


def likeliest(out: State) -> State:
    """Take the most probable structure under a prediction: the largest logit of every label, reals as they are.

    Parameters
    ----------
    out : State
        A prediction: logits for labels, reals for reals.

    Returns
    -------
    State
        Labels and float32 reals, zero in the padding.
    """
    schema: dict[str, Field] = {}
    values: dict[str, Tensor] = {}
    for name, field in out.schema.items():
        present = extent(field, out.mask)
        if isinstance(field, Logits):
            schema[name], value = Categorical(field.axes, field.classes, field.symmetric), out[name].argmax(-1)
        else:
            schema[name], value = field, out[name].float()
            present = present.view(*present.shape, *[1] * len(field.trailing))
        values[name] = torch.where(present, value, torch.zeros((), dtype=value.dtype, device=value.device))
    return State(out.mask, schema, values)
