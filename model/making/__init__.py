"""From somebody's file and data to a model's folder: open, look, measure, draft, write.

It may import ``serving`` and ``contract``.
"""

from model.making.adding import STAGES, add_model
from model.making.errors import AddError, NotProvedError
from model.making.options import AddOptions
from model.making.report import format_report
from model.making.summary import AddedModel

__all__ = [
    "STAGES",
    "AddError",
    "AddOptions",
    "AddedModel",
    "NotProvedError",
    "add_model",
    "format_report",
]
