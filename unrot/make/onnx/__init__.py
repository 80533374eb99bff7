"""Estimators as ONNX graphs that answer what scikit-learn answers."""
