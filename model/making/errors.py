"""The error of adding a model."""


class AddError(Exception):
    """The model cannot be added; the message says why and what to do."""
