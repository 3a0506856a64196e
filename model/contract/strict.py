"""What card and manifest are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
"""A probability, or so many of all."""


class StrictModel(BaseModel):
    """Takes no unknown key and no number that is not finite, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
