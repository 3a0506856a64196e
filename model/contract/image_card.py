"""Card and manifest of a model that classifies a picture."""

from functools import cached_property
from typing import Literal

from pydantic import Field, PositiveFloat, model_validator

from model.contract.card import CardBase
from model.contract.manifest import ManifestBase, ProbabilityCalibration, ReliabilityBin
from model.contract.outputs import ClassOutput
from model.contract.pictures import ImageField
from model.contract.preprocessing import Preprocessing
from model.contract.strict import Share, StrictModel


class PictureOutput(ClassOutput):
    """One of several classes, in the order of the network's answers."""

    refusal_text: str = "This is unlike the pictures that the model knows: choose another picture"
    """The error at the field for a picture that is unlike all training pictures."""

    warning: str = ""
    """What stands beside every answer."""

    share_text: str = ""
    """What stands below the probabilities."""

    map_text: str = "Red counts for the answer, blue against it; the stronger the colour, the more."
    """What stands below the picture with its map."""


class Samples(StrictModel):
    """Where a visitor finds pictures to try."""

    text: str
    """The words of the link."""

    url: str = Field(pattern="^https://")
    """The address of the link; it must use HTTPS."""


class ImageCard(CardBase):
    """The card of a model that looks at one picture and answers with one of several classes."""

    kind: Literal["pictures"]
    """The kind of the model."""

    fields: tuple[ImageField, ...] = Field(min_length=1, max_length=1)
    """The one ``[[fields]]`` table: the picture."""

    output: PictureOutput
    """The ``[output]``: the classes."""

    samples: Samples | None = None
    """The ``[samples]``: where a visitor finds pictures to try."""

    @cached_property
    def field(self) -> ImageField:
        """The one field."""
        return self.fields[0]


class GoldenPicture(StrictModel):
    """A PNG of what the network sees, with what the model predicted when it was made.

    ``probability`` is that of the last class, ``probabilities`` are all; a model of before has none
    of these.
    """

    picture: str
    probability: Share
    probabilities: tuple[float, ...] = ()
    ood_score: float


MAX_SAMPLES = 6


class SamplePicture(StrictModel):
    """A picture that a visitor can click: its file in the model's folder, and its name.

    ``truth`` says what it shows, in a sentence that stands beside the answer and not before it.
    """

    file: str = Field(pattern=r"^samples/[A-Za-z0-9_-]+\.(jpg|png|webp)$")
    label: str = Field(min_length=1, max_length=100)
    truth: str = Field(default="", max_length=200)


class ImageManifest(ManifestBase):
    """What the training command of a model of pictures writes.

    ``preprocessing`` is how a picture becomes the network's input. Of two classes the last one is
    the answer from ``threshold`` on; of more, the most probable one. A picture whose colourfulness
    is above ``colour_limit`` is refused before the network runs, and so is one that ``ood``, the
    file of the training pictures' statistics, says is unlike them. ``probabilities`` keeps those of
    the network from being surer than the evidence, ``reliability`` sums up what held-out pictures
    showed. ``false_alarms`` is the share of such pictures that was refused wrongly.
    """

    classes: tuple[str, ...] = Field(min_length=2)
    preprocessing: Preprocessing = Preprocessing()
    threshold: float = Field(default=0.5, gt=0, lt=1)
    probabilities: ProbabilityCalibration | None = None
    reliability: tuple[ReliabilityBin, ...] = ()
    colour_limit: PositiveFloat | None = None
    ood: str = ""
    false_alarms: Share | None = None
    samples: tuple[SamplePicture, ...] = Field(default=(), max_length=MAX_SAMPLES)
    golden: tuple[GoldenPicture, ...] = Field(min_length=3)

    @model_validator(mode="after")
    def _golden_answers_have_all_classes(self) -> "ImageManifest":
        if any(len(item.probabilities) not in (0, len(self.classes)) for item in self.golden):
            raise ValueError("golden pictures must have a probability for each class")
        return self
