"""What the lab says when it cannot go on."""


class LabError(Exception):
    """The lab cannot do what was asked; the message says why."""
