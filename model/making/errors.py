"""The errors of adding a model."""


class AddError(Exception):
    """The model cannot be added; the message says why and what to do."""


class NotProvedError(AddError):
    """The model is not added, because the data do not prove that it would answer rightly."""
