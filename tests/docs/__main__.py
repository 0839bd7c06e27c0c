"""Write the help texts and the inventory of JSON in `docs/` again: `make docs`."""

from tests.docs import jsonkeys
from tests.docs.helptexts import PROGRAMS, page, written

if __name__ == "__main__":
    for program in PROGRAMS:
        page(program).write_text(written(program), "utf-8")
    jsonkeys.PAGE.write_text(jsonkeys.written(), "utf-8")
