"""Card and manifest of a model that classifies a picture into one of two classes."""

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from model.contract.card import CardBase
from model.contract.fields import Option
from model.contract.manifest import ManifestBase, ProbabilityCalibration
from model.contract.outputs import ClassOutput
from model.contract.pictures import ImageField

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PictureOutput(ClassOutput):
    """One of two classes; the model gives the probability of the last.

    ``refusal_text`` is the error for an out-of-distribution picture, ``warning`` stands beside
    every prediction, ``map_text`` below the picture with its activation map.
    """

    classes: tuple[Option, ...] = Field(min_length=2, max_length=2)
    """The two classes; the model gives the probability of the last one."""

    refusal_text: str
    """The error at the field for a picture that is unlike all training pictures."""

    warning: str
    """What stands beside every answer."""

    map_text: str
    """What stands below the picture with its map."""


class Samples(BaseModel):
    """Where a visitor finds pictures to try."""

    model_config = _STRICT

    text: str
    """The words of the link."""

    url: str = Field(pattern="^https://")
    """The address of the link; it must use HTTPS."""


class ImageCard(CardBase):
    """The card of a model that looks at one picture and answers with one of two classes."""

    kind: Literal["pictures"]
    """The kind of the model."""

    fields: tuple[ImageField, ...] = Field(min_length=1, max_length=1)
    """The one ``[[fields]]`` table: the picture."""

    output: PictureOutput
    """The ``[output]``: the two classes."""

    samples: Samples
    """The ``[samples]``: where a visitor finds pictures to try."""

    @cached_property
    def field(self) -> ImageField:
        """The one field."""
        return self.fields[0]


class GoldenPicture(BaseModel):
    """A grey PNG of 224 x 224 pixels with what the model predicted when it was trained."""

    model_config = _STRICT

    picture: str
    probability: float = Field(ge=0, le=1)
    ood_score: float


class ImageManifest(ManifestBase):
    """What the training command of an image classifier writes.

    From ``threshold`` on, the probability means the last class. A picture whose colourfulness is
    above ``colour_limit`` is refused before the network runs. ``probabilities`` keeps those of the
    network from being surer than the evidence.
    """

    classes: tuple[str, str]
    threshold: float = Field(gt=0, lt=1)
    probabilities: ProbabilityCalibration | None = None
    colour_limit: float = Field(gt=0)
    golden: tuple[GoldenPicture, ...] = Field(min_length=3)
