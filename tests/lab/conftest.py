"""Makes the lab's fixtures known to the tests in this folder."""

from tests.lab.fixtures import fresh_host, fresh_hosts, lab, repository

__all__ = ["fresh_host", "fresh_hosts", "lab", "repository"]
