"""What a question or a comment may be: text that can be shown, of modest length. Pure."""

from __future__ import annotations

import unicodedata

LONGEST_QUERY = 1000  # characters
LONGEST_TEXT = 2000  # of a comment


class Unreadable(ValueError):
    """It is no text that can be asked or kept; the message says what is wrong with it."""


def text_of(said: object, longest: int = LONGEST_QUERY) -> str:
    """
    The text without what is around it. Line ends stay, tabs become spaces; what cannot be seen
    (joiners, direction marks) is left out; control characters and halves of characters are refused
    by name.
    """
    if not isinstance(said, str):
        raise Unreadable("A text was expected.")
    if len(said) > longest:
        raise Unreadable(f"At most {longest:,} characters, not {len(said):,}.")
    kept = said.replace("\r\n", "\n").replace("\t", " ")
    for character in kept:
        if unicodedata.category(character) in ("Cc", "Cs") and character != "\n":
            raise Unreadable(f"The control character U+{ord(character):04X} cannot be in a text.")
    seen = "".join(
        c for c in kept if unicodedata.category(c) != "Cf" or c == "\N{ZERO WIDTH JOINER}"
    )
    if not seen.strip():
        raise Unreadable("There is no word in it.")
    return seen.strip()
