"""Models of other libraries, read from their own files without these libraries.

Each reader gives a record, as if scikit-learn's pickle held the model: ``estimators`` checks it
like any other. It may import ``contract`` alone.
"""
