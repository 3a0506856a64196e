"""Answers many rows at once: tables in blocks, and streams of pictures.

One engine answers tables for every kind of model. It may import the kinds of models, what is below
them in ``serving``, and the contract.
"""

from model.serving.batch.answers import Answers, Summary
from model.serving.batch.items import ItemPredictor
from model.serving.batch.predictor import BatchPredictor, ExplainedRows

__all__ = ["Answers", "BatchPredictor", "ExplainedRows", "ItemPredictor", "Summary"]
