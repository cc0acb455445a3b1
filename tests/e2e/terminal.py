"""A text terminal as a person sees it: what is where after a program has written to it."""

import re

# Of those that move or erase: cursor to line;column, and the whole screen erased. Colours change nothing here.
SEQUENCE = re.compile(r"\x1b\[(?P<values>[0-9;]*)(?P<end>[A-Za-z])|(?P<plain>.)", re.DOTALL)


class Screen:
    """Refuses what a screen of that size would wrap or scroll."""

    def __init__(self, text, columns=80, lines=25):
        self.cells = [[" "] * columns for _ in range(lines)]
        self.line = self.column = 0
        for found in SEQUENCE.finditer(text):
            if found["plain"]:
                self._put(found["plain"])
            elif found["end"] == "H":
                line, column = (int(value or 1) for value in (found["values"] + ";").split(";")[:2])
                self.line, self.column = line - 1, column - 1
            elif found["end"] == "J":
                self.cells = [[" "] * columns for _ in range(lines)]
            elif found["end"] != "m":
                raise AssertionError(f"a sequence that this screen does not know: {found[0]!r}")

    def _put(self, character):
        if character == "\n":
            self.line, self.column = self.line + 1, 0
        elif character == "\r":
            self.column = 0
        elif self.line >= len(self.cells) or self.column >= len(self.cells[0]):
            raise AssertionError(f"{character!r} is outside of the screen, at {self.line + 1};{self.column + 1}:\n{self}")
        else:
            self.cells[self.line][self.column] = character
            self.column += 1

    def rows(self, first=0):
        """The lines, from a column on, without the spaces at their ends."""
        return ["".join(cells[first:]).rstrip() for cells in self.cells]

    def __str__(self):
        return "\n".join(self.rows()).rstrip()
