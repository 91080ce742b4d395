"""Architectures made torch modules, or ONNX graphs."""
