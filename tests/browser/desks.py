"""The desk as a person has it: real films, scanned in the offline world, and `review_report.py serve` in a process of its own."""

import shutil
import signal
import subprocess
from contextlib import contextmanager

from handlers.adapters.table import open_table
from tests.browser.offline import BUCKET, ROOT, SETTINGS, Offline
from tools.emulator.samples import CardAt, Clip, encode
from tools.emulator.world import World

HOSTILE = "<script>document.title='owned'</script>\u202e.mp4"
REPLACED, UNDECODABLE = "trailers/replaced.mp4", "tapes/old-camera.mp4"
AT_THE_END = "tapes/ending.mp4"
QUEUE = "queue/"
"""The folder of the films that are decided about one after another; no other test touches them."""
QUEUE_COUNT = 21

_LABELS = ("Weapons", "Explicit Nudity", "Smoking", "Graphic Violence", "Explosions and Blasts", "Kissing on the Lips")
_FOLDERS = ("uploads/2019/", "trailers/", "user-content/eu/")


def library():
    """Return the films of the bucket, by key: the card of the first half minute is seen from the 6th to the 8th second."""
    films = {}
    for number in range(22):
        label = _LABELS[number % len(_LABELS)]
        cards = (CardAt(label, 82.0 + number % 15, 6.0, 8.0), *((CardAt("Weapons", 90.0, 9.0, 11.0),) if number % 3 == 0 else ()))
        films[f"{_FOLDERS[number % len(_FOLDERS)]}clip-{number:02}.mp4"] = Clip(12.0 + number % 4, cards, width=320, height=180)
    for number in range(QUEUE_COUNT):
        films[f"{QUEUE}{number:02}.mp4"] = Clip(8.0, (CardAt("Weapons", 85.0 + number % 10, 2.0, 4.0),), width=320, height=180)
    films[HOSTILE] = Clip(10.0, (CardAt("Weapons", 99.0, 6.0, 8.0),), width=320, height=180)
    films[REPLACED] = Clip(10.0, (CardAt("Weapons", 97.5, 6.0, 8.0),), width=320, height=180)
    films[UNDECODABLE] = Clip(6.0, (CardAt("Weapons", 97.0, 2.0, 3.0),), codec="mpeg4", width=320, height=180)
    films[AT_THE_END] = Clip(8.0, (CardAt("Weapons", 96.0, 6.0, 8.0),), width=320, height=180)
    films |= {f"clean/{number}.mp4": Clip(4.0, (), width=320, height=180) for number in range(3)}
    return films


class Scanned(Offline):
    """The offline world after a scan of the library; the world goes on."""

    def scan_library(self, assembly):
        """Scan the films to the end, and replace one of them."""
        self.scan(assembly, {key: encode(clip) for key, clip in library().items()})
        self.world.client("s3").put_object(Bucket=BUCKET, Key=REPLACED, Body=encode(Clip(3.0, (), width=320, height=180)))

    def table(self):
        """Return the table, as the tools have it."""
        client = self.world.client("dynamodb")
        (name,) = client.list_tables()["TableNames"]
        return open_table(client, name, self.world.clock)

    def decisions(self):
        """Return what the table knows about flagged videos, by key: (decision, who)."""
        decided = {video["key"]: video["decision"] for video in self.review()["flagged"]}
        return {key: (each["decision"], each["by"]) for key, each in decided.items() if each}

    @contextmanager
    def served(self, *arguments):
        """Serve the desk while the block runs; its first address is handed over."""
        command = self.command("review_report.py", "serve", "--no-browser", *arguments)
        with subprocess.Popen(
            command, env=self.environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        ) as desk:
            try:
                yield next(line.split()[-1] for line in desk.stderr if "The desk is at " in line)
            finally:
                desk.send_signal(signal.SIGINT)
                desk.communicate(timeout=30)


@contextmanager
def scanned(folder, assembly):
    """The library, scanned, while the block runs."""
    shutil.rmtree(folder / "world", ignore_errors=True)
    with World(SETTINGS, directory=folder / "world") as world:
        made = Scanned(world, folder)
        made.scan_library(assembly)
        yield made
