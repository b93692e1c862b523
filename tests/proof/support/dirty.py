"""Makes dirty rating files: everything that goes wrong in real ones, in every mixture, the same for the same seed."""

import random
from collections.abc import Callable

BAD_IDS = ["x", "", "-7", "1.0", "2147483648", "99999999999", "12a", "1 2", "+5"]
BAD_RATINGS = ["", "x", "3.7", "3.", ".5", "NaN", "1e0", "inf", "4.25", "99999999", "--1"]
OUT_OF_RANGE = ["0", "-3", "11", "999999", "-0.5", "10.5"]
BAD_DATES = ["2005-02-29", "2005-13-01", "2005-00-10", "2005-01-00", "2005-1-1", "2005/01/01", "05-01-2005", "", "today",
             "2005-04-31", "1900-02-29", "2005-01-01T00:00:00", "0000-01-01", "20050101"]  # fmt: skip
BAD_HEADERS = [":", "abc:", "-8:", "99999999999:", "8::", "1,2,3:", "2147483648:", "8.5:"]
GOOD_DATES = ["2005-01-01", "2005-01-31", "2005-02-28", "2004-02-29", "2000-02-29", "1999-12-31", "1970-01-01",
              "0001-01-01", "9999-12-31", "1969-07-20"]  # fmt: skip


class DirtyFile:
    """One file under construction."""

    def __init__(self, seed: int, stars: list[str]) -> None:
        """`stars` are the ratings that good rows take."""
        self.random = random.Random(seed)
        self.stars = stars
        self.lines: list[str] = []

    def good_row(self) -> str:
        """A row that can be read, of few users and days so that keys meet again with other ratings."""
        user = self.random.choice([0, 7, 2_147_483_647, *range(1, 6)])
        pad = self.random.choice(["", "", "", " ", "\t"])
        return f"{user}{pad},{pad}{self.random.choice(self.stars)},{self.random.choice(GOOD_DATES)}{pad}"

    def bad_row(self) -> str:
        """A row with one thing wrong with it, or several."""
        user, stars, date = self.good_row().split(",")
        wrong = self.random.sample(["id", "rating", "range", "date", "fields"], k=self.random.choice([1, 1, 1, 2, 3]))
        user = self.random.choice(BAD_IDS) if "id" in wrong else user
        stars = self.random.choice(BAD_RATINGS) if "rating" in wrong else stars
        stars = self.random.choice(OUT_OF_RANGE) if "range" in wrong else stars
        date = self.random.choice(BAD_DATES) if "date" in wrong else date
        if "fields" in wrong:
            return self.random.choice([f"{user},{stars}", f"{user},{stars},{date},", f"{user};{stars};{date}", ",,,,", "#"])
        return f"{user},{stars},{date}"

    def header(self) -> str:
        """A header that can be read. Movies are few, so that they come back."""
        return f"{self.random.choice([0, 1, 2, 3, 17_770, 2_147_483_647])}{self.random.choice(['', '', ' '])}:"

    def fill(self) -> None:
        """Adds lines in any order: some rows stand above the first header."""
        kinds: list[tuple[Callable[[], str], int]] = [
            (self.good_row, 60),
            (self.bad_row, 15),
            (self.header, 10),
            (lambda: self.random.choice(BAD_HEADERS), 2),
            (lambda: self.random.choice(["", "  ", "\t"]), 5),
            (lambda: self.random.choice(self.lines or [""]), 8),  # said before: a duplicate, or a movie again
        ]
        makers, weights = zip(*kinds, strict=True)
        for make in self.random.choices(makers, weights, k=self.random.choice([0, 1, 3, 20, 60, 120])):
            self.lines.append(make())
        if self.random.random() < 0.8:
            self.lines.insert(0, self.header())

    def text(self) -> bytes:
        """The file: line ends of one kind or mixed, perhaps with a byte-order mark, perhaps without a final newline."""
        ends = self.random.choice([["\n"], ["\n"], ["\r\n"], ["\n", "\r\n"]])
        text = "".join(line + self.random.choice(ends) for line in self.lines)
        if self.random.random() < 0.4:
            text = text.rstrip("\r\n")
        mark = b"\xef\xbb\xbf" if self.random.random() < 0.2 else b""
        return mark + text.encode()


def dirty_file(seed: int, stars: list[str]) -> bytes:
    """One file. `stars` are the ratings that good rows take: whole ones, or halves too."""
    file = DirtyFile(seed, stars)
    file.fill()
    return file.text()
