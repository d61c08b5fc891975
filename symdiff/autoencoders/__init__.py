"""Autoencoders: encoders to latents, and decoders that are equivariant up to the stabilizer of what they decode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.autoencoders.autoencoder import Autoencoder as Autoencoder
    from symdiff.autoencoders.base import Decoder as Decoder
    from symdiff.autoencoders.base import Encoder as Encoder
    from symdiff.autoencoders.decoder import NetworkDecoder as NetworkDecoder
    from symdiff.autoencoders.encoder import NetworkEncoder as NetworkEncoder

__getattr__, __dir__ = face(__name__)
