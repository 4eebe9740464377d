"""Readers of what other tools found: OpenSCAP, Lynis, InSpec."""

from khien.adapters.foreign.reader import FORMATS, ForeignResults

__all__ = ["FORMATS", "ForeignResults"]
