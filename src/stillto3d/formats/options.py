"""How a file is to be written, as far as a person may choose."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BadInput

TEXTURES = ("auto", "jpeg", "png", "webp")
"""How textures are encoded; auto: JPEG, or PNG where there is alpha."""

SPACES = ("auto", "ACEScg", "ACES2065-1", "Linear Rec.709 (sRGB)", "Linear Rec.2020", "Linear P3-D65")
"""Scene-linear colour spaces of EXR files; auto: the still's own, or linear Rec. 709."""

CONTENTS = ("auto", "points", "mesh", "splats")
"""What goes into a file that holds one kind of geometry."""


@dataclass(frozen=True)
class WriteOptions:
    """What every writer may look at.

    texture       one of TEXTURES
    texture_size  longest side of a texture in pixels; larger ones are scaled down; 0: as they are
    quality       of JPEG and WebP, 1 to 100
    content       one of CONTENTS
    space         one of SPACES
    lods          coarser copies beside the file, each with a quarter of the triangles of the one before
    """

    texture: str = "auto"
    texture_size: int = 0
    quality: int = 92
    lods: int = 0
    content: str = "auto"
    space: str = "auto"

    def __post_init__(self) -> None:
        if self.texture not in TEXTURES:
            message = "Textures are not written as {kind}; choose one of {known}."
            raise BadInput(message, kind=self.texture, known=", ".join(TEXTURES))
        if self.texture_size and not 16 <= self.texture_size <= 16384:
            raise BadInput("A texture's longest side is 16 to 16384 pixels, or 0 to leave it as it is.")
        if self.content not in CONTENTS:
            raise BadInput(
                "There is no content {kind}; choose one of {known}.", kind=self.content, known=", ".join(CONTENTS)
            )
        if self.space not in SPACES:
            message = "There is no colour space {space}; choose one of {known}."
            raise BadInput(message, space=self.space, known=", ".join(SPACES))
        if not 1 <= self.quality <= 100:
            raise BadInput("The quality of a picture lies from 1 to 100.")
        if not 0 <= self.lods <= 4:
            raise BadInput("There are 0 to 4 coarser copies.")


AS_THEY_ARE = WriteOptions()
