"""Adding models: a person's file and data go in, a folder that is served comes out."""

from model.adding.errors import AddError
from model.adding.making import STAGES, add_model
from model.adding.request import Request
from model.adding.summary import Added

__all__ = ["STAGES", "AddError", "Added", "Request", "add_model"]
