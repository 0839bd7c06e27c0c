"""Decisions, and objects that are replaced while publish_verdict is at them."""

from itertools import product

from hypothesis import strategies as st

from handlers.domain.consequence import TAG_KEY
from handlers.domain.decision import Judgement
from handlers.domain.states import State
from tests.model.external_rules import Meanwhile
from tests.model.ground import kind, videos
from tests.model.marks import CLEAN

TAGGING = "s3.PutObjectTagging"
# Calls of publish_verdict at which it is held, mostly between its look at an object and its tag.
POINTS = (
    *4 * ((TAGGING, "before"),),
    *product(("s3.GetObjectTagging", "s3.HeadObject", "dynamodb.DeleteItem"), ("before", "after")),
)


def _decidable(model):
    found = model.product_invariants.records.values()
    return [item for item in found if State(item["state"]["S"]).final and item["state"]["S"] != "CANCELLED" and "etag" in item]


def _there(model):
    """Return those whose content their object has now."""
    etags = {key: model.world.objects.described(body).etag for key, body in model.world.objects.stored.items()}
    return [item for item in _decidable(model) if etags.get(_object(item)) == item["etag"]["S"]]


class Consequences(Meanwhile):
    """Decisions, republications, and what happens during them."""

    @kind("decision", when=_decidable, weight=3)
    def decide(self, draw):
        """A person decides about a video."""
        self.people.decide(draw(st.sampled_from(_decidable(self))), draw(st.sampled_from(Judgement)))
        self.world.rest(draw(st.sampled_from([0, 5, 61])))

    @kind("republication", when=_decidable, weight=3)
    def republish(self, draw):
        """The consequences of a video are carried out again."""
        self.people.republish(draw(st.sampled_from(_decidable(self))))

    @kind("object replaced during its tag", when=_there, weight=4)
    def replace_during_tag(self, draw):
        """publish_verdict is held while it writes what a person decided, and the object is replaced."""
        item, body = draw(st.sampled_from(_there(self))), draw(videos)
        self._decide_and_hold(draw, item, lambda: self.world.objects.write(*_object(item), body))

    @kind("decision during a tag", when=_decidable)
    def decide_during_tag(self, draw):
        """publish_verdict is held while it writes what a person decided, and that person thinks better of it."""
        item = draw(st.sampled_from(_decidable(self)))
        judgement = Judgement.CONFIRMED if self._otherwise(item) is Judgement.FALSE_ALARM else Judgement.FALSE_ALARM
        self._decide_and_hold(draw, item, lambda: self.people.decide(item, judgement))

    def _decide_and_hold(self, draw, item, action):
        self.people.decide(item, self._otherwise(item))
        self.scheduler.settle()
        # Which sends the message by which publish_verdict is called.
        self.world.sweep()
        seconds = draw(st.sampled_from([5, 90]))
        self._meanwhile("publish_verdict", *draw(st.sampled_from(POINTS)), action, seconds=seconds)

    def _otherwise(self, item):
        """Return the judgement that changes an object's tag."""
        tags = self.product_invariants.marks.tags
        found = {each.get(TAG_KEY) for object_, each in tags.items() if object_[:2] == _object(item)}
        return Judgement.CONFIRMED if CLEAN in found else Judgement.FALSE_ALARM


def _object(item):
    return item["bucket"]["S"], item["key"]["S"]
