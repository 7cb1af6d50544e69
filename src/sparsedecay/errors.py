"""Mistakes that a user can mend: shown as one message, without a stack trace."""


class UserError(Exception):
    """What is wrong, where, and what to do about it."""


class DamagedFile(UserError):
    """A file that exists but does not hold what its name promises."""
