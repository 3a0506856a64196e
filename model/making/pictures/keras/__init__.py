"""Reads a model of Keras without Keras: its architecture is JSON, its weights are arrays.

It may import ``making.errors``. Nothing in such a file runs.
"""

from model.making.pictures.keras.code import find_code
from model.making.pictures.keras.converting import convert_keras
from model.making.pictures.keras.files import KerasFile, UnknownLayerError, read_keras

__all__ = ["KerasFile", "UnknownLayerError", "convert_keras", "find_code", "read_keras"]
