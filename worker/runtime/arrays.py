"""The types of numpy arrays, as `producer.pictures.arrays` names them."""

from __future__ import annotations

from producer.pictures.arrays import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array

__all__ = ["AnyArray", "BoolArray", "Float32Array", "Float64Array", "Int64Array", "UInt8Array"]
