"""Hardening and patch orchestration for every server and workstation of a province's agencies."""

__version__ = "0.1.0"
