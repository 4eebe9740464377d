"""Patches a host from the inside: works out the security updates, runs the transaction, tells what it did."""
