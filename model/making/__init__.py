"""From somebody's file and data to a model's folder: open, look, measure, draft, write.

It may import ``serving`` and ``contract``.
"""

from model.making.adding import add_from_files, list_stages
from model.making.errors import AddError, NotProvedError
from model.making.notebooks import NotebookReport, add_model
from model.making.options import AddOptions, PictureOptions
from model.making.writing.redrafting import recall_options
from model.making.writing.report import format_report
from model.making.writing.summary import AddedModel

__all__ = [
    "AddError",
    "AddOptions",
    "AddedModel",
    "NotProvedError",
    "NotebookReport",
    "PictureOptions",
    "add_from_files",
    "add_model",
    "format_report",
    "list_stages",
    "recall_options",
]
