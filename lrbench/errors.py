"""What a wrong request raises."""


class RequestError(ValueError):
    """A wrong request. The message says where, what is allowed, what came and what to do; the command line prints it and exits 2."""


def did_you_mean(word: str, allowed: list[str] | tuple[str, ...]) -> str:
    """Return "Did you mean 'x'? There are: a, b, x." for a misspelt word."""
    import difflib

    close = difflib.get_close_matches(word, allowed, n=1)
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}There are: {', '.join(sorted(allowed))}."
