"""The moderation labels of model 7.0."""

import pytest

from handlers.domain import taxonomy


@pytest.mark.parametrize(
    ("name", "level", "ancestors"),
    [
        ("Violence", 1, ()),
        ("Gambling", 1, ()),
        ("Weapons", 2, ("Violence",)),
        ("Weapon Violence", 3, ("Graphic Violence", "Violence")),
        ("Smoking", 3, ("Drugs & Tobacco Paraphernalia & Use", "Drugs & Tobacco")),
        ("Suggestive", 0, ()),
        ("", 0, ()),
    ],
)
def test_place_of_a_label(name, level, ancestors):
    """A label has its level and its ancestors, the nearest first; an unknown one has level 0."""
    assert (taxonomy.level(name), taxonomy.ancestors(name)) == (level, ancestors)
    assert taxonomy.parent(name) == (ancestors[0] if ancestors else "")
    assert taxonomy.known(name) is (level > 0)


@pytest.mark.parametrize("name", ["weapon violence", "WEAPON VIOLENCE", " Weapon Violence "])
def test_names_in_any_case(name):
    """The case of names does not matter: AWS changed it between models."""
    assert taxonomy.ancestors(name) == ("Graphic Violence", "Violence")


def test_every_label_has_one_place():
    """Ten categories, and no name twice: a name alone finds its place."""
    names = [taxonomy.folded(top) for top in taxonomy.HIERARCHY]
    for seconds in taxonomy.HIERARCHY.values():
        names += [taxonomy.folded(second) for second in seconds]
        names += [taxonomy.folded(third) for thirds in seconds.values() for third in thirds]

    assert len(taxonomy.HIERARCHY) == 10
    assert len(names) == len(set(names))
    assert all(taxonomy.known(name) for name in names)


def test_names():
    """Every label is named once, as AWS writes it, and known by that name."""
    names = taxonomy.names()

    assert len(set(names)) == len(names) == sum(taxonomy.level(name) in {1, 2, 3} for name in names)
    assert {"Explicit", "Graphic Violence", "Blood & Gore", "Gambling"} <= set(names)
