"""CatBoost's files, which only CatBoost reads: it exports them, in an environment that has it.

It may import the modules of ``making`` that read ONNX files.
"""
