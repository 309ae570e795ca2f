"""Pages with marked regions, `<!-- ranking lecture -->` ... `<!-- end -->`, whose text a program writes."""

import re

REGION = r"<!-- ([\w. ]+) -->\n.*?<!-- end -->"


def filled(page: str, blocks: dict[str, str]) -> str:
    """Put each block between its markers; regions of other blocks stay as they are."""

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- {name} -->\n{blocks[name]}\n<!-- end -->" if name in blocks else match[0]

    return re.sub(REGION, fill, page, flags=re.DOTALL)


def regions(page: str) -> set[str]:
    """Return the names of a page's regions."""
    return set(re.findall(REGION, page, flags=re.DOTALL))
