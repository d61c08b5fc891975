"""Sampling: a ``Request`` says what is wanted, a ``Sampler`` how it is got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symdiff.face import face

if TYPE_CHECKING:
    from symdiff.sampling.ancestral import Ancestral as Ancestral
    from symdiff.sampling.chain import Chain as Chain
    from symdiff.sampling.decoded import Decoded as Decoded
    from symdiff.sampling.importance import Importance as Importance
    from symdiff.sampling.importance import Weighted as Weighted
    from symdiff.sampling.inpainting import Inpainting as Inpainting
    from symdiff.sampling.recorded import Recorded as Recorded
    from symdiff.sampling.recorded import Recording as Recording
    from symdiff.sampling.rejection import Rejection as Rejection
    from symdiff.sampling.request import Request as Request
    from symdiff.sampling.sampler import Sampler as Sampler
    from symdiff.sampling.sampler import Trajectory as Trajectory
    from symdiff.sampling.samples import Samples as Samples
    from symdiff.sampling.scaffolding import Scaffolding as Scaffolding

__getattr__, __dir__ = face(__name__)
