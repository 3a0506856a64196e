"""Adding models: a person's file and data go in, a folder that is served comes out."""

from model.adding.errors import AddError
from model.adding.making import STAGES, Added, Request, add_model

__all__ = ["STAGES", "AddError", "Added", "Request", "add_model"]
