"""Brings a host to a declared state: planned first, kept in a checkpoint, applied, proven, undone."""
