"""Fitted estimators: made, measured, stored, compiled and asked.

Only `predictors` is imported by a web worker, and it needs numpy and onnxruntime alone.
"""
