"""What a wrong request raises."""

from collections.abc import Sequence


class RequestError(ValueError):
    """A wrong request.

    The message says where, what is allowed, what came and what to do; the command line prints it and exits 2.
    """


def did_you_mean(word: str, allowed: Sequence[str]) -> str:
    """Return "Did you mean 'x'? There are: a, b, x." for a misspelt word."""
    import difflib  # not before something is misspelt

    close = difflib.get_close_matches(word, allowed, n=1)
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}There are: {', '.join(sorted(allowed))}."
