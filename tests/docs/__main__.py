"""Write the help texts in `docs/` again: `make docs`."""

from tests.docs.helptexts import PROGRAMS, page, written

if __name__ == "__main__":
    for program in PROGRAMS:
        page(program).write_text(written(program), "utf-8")
