"""Structures that change, as an animated picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from symdiff.domains.base import Domain
from symdiff.errors import UserError
from symdiff.storage.atomic import write_file

SHOWN, PAUSE = 80, 2000
"""Milliseconds that a frame is shown, and the last one."""


def animate(frames: Sequence[Sequence], domain: Domain, path: str | Path) -> None:
    """Write an animated .gif, all frames from the viewpoint from which the last one is seen best.

    Parameters
    ----------
    frames : sequence of sequence
        The objects of every moment, as many in each.
    domain : Domain
        What they are.
    path : str or Path
        The file, which is replaced.

    Raises
    ------
    UserError
        Where the domain has no pictures, or the file cannot be written.
    """
    from PIL import Image

    images = []
    with TemporaryDirectory() as folder:
        for place, objs in enumerate(frames):
            picture = Path(folder) / f"{place}.png"
            if not domain.codec.draw_like(objs, frames[-1], picture):
                raise UserError(f"{path}: a {type(domain).__name__} has no pictures")
            with Image.open(picture) as image:
                images.append(image.convert("RGB"))
    durations = [SHOWN] * (len(images) - 1) + [PAUSE]
    buffer = io.BytesIO()
    images[0].save(buffer, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0)
    write_file(path, buffer.getvalue())
