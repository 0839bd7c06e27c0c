"""Write the help texts, the inventory of JSON and the table of the gate in `docs/` again: `make docs`."""

from tests.docs import gates, jsonkeys
from tests.docs.helptexts import PROGRAMS, page, written

if __name__ == "__main__":
    for program in PROGRAMS:
        page(program).write_text(written(program), "utf-8")
    jsonkeys.PAGE.write_text(jsonkeys.written(), "utf-8")
    gates.PAGE.write_text(gates.written(), "utf-8")
