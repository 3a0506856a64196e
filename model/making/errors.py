"""The error of adding a model."""

TOOLS = "make add-tools"
"""The command that installs what reading ONNX files and compiling need."""


class AddError(Exception):
    """The model cannot be added; the message says why and what to do."""
