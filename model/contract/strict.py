"""What card and manifest are made of."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """Takes no unknown key and no number that is not finite, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
