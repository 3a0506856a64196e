"""One model at its address, with what its pages and its API share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint

from app.config import Settings
from app.kinds.adapter import KindAdapter
from app.kinds.batches import BatchLimits
from app.limits.background import CallTimer
from app.presentation.contexts import Renderer, Site

if TYPE_CHECKING:
    from app.feedback.service import FeedbackService
    from app.monitoring.watcher import ModelWatch, Watcher


@dataclass(frozen=True)
class HostedModel:
    """A model with its adapter and what the app gives it.

    ``prefix`` is where its addresses begin, "" for the default model; ``timer`` knows whether it
    takes long. ``feedback`` keeps reports on its answers, and ``watcher`` watches what it promises:
    both are None where nothing is kept.
    """

    adapter: KindAdapter[Any, Any]
    prefix: str
    render: Renderer
    timer: CallTimer
    settings: Settings
    feedback: "FeedbackService | None" = None
    watcher: "Watcher | None" = None

    @property
    def slug(self) -> str:
        """The model's name in addresses."""
        return self.adapter.model.slug

    @property
    def watch(self) -> "ModelWatch | None":
        """What watches this model; None where nothing is kept."""
        return None if self.watcher is None else self.watcher.watches[self.slug]

    @property
    def limits(self) -> BatchLimits:
        """What a file of many rows may have."""
        return BatchLimits(self.settings.batch_rows, self.settings.batch_megabytes)

    def make_blueprint(self, name: str, import_name: str) -> Blueprint:
        """Make a blueprint under the model's prefix."""
        return Blueprint(f"{name}-{self.slug}", import_name, url_prefix=self.prefix or None)

    def build_site(self, embedded: bool = False) -> Site:
        """Build what all pages of the model share, those in frames or those of their own."""
        return self.adapter.build_site(self.render.root + self.prefix, embedded)
