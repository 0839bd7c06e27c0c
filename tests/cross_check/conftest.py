"""The same template deployed twice: in the emulator, and in ministack, an emulator by others."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cross_check.ministack import Ministack
from tests.cross_check.rekognition import Rekognition
from tests.cross_check.scene import Scene
from tests.once import assembled
from tools.emulator.deploy import Deployer
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

ROOT = Path(__file__).parents[2]
STACK = "VideoModeration"
BUCKET = "amzn-s3-demo-bucket"
IN_A_HURRY = EmulatorSettings(
    starts_per_second=100,  # 5, and the load's time runs 20 times as fast
    gets_per_second=1_000_000,  # the load has no quota of its own for looking at results
    analysis_base_seconds=0.5,
    analysis_factor=0.0,
)


@pytest.fixture(scope="session")
def assembly(tmp_path_factory):
    """Return the folder of the assembly that `python app.py` makes."""
    return assembled(tmp_path_factory, stack_name=STACK, alert_email="reviewer@example.com", source_buckets=[BUCKET])


@pytest.fixture(scope="session")
def template(assembly):
    """Return the template."""
    return json.loads((assembly / f"{STACK}.template.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def installed():
    """Make sure that ministack's environment exists, exactly as locked."""
    subprocess.run(["make", "--silent", "ministack"], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def ministack_server(installed, tmp_path_factory):
    """Return an empty ministack."""
    server = Ministack(tmp_path_factory.mktemp("ministack")).open()
    yield server
    server.close()


@pytest.fixture(scope="module")
def emulator_world(tmp_path_factory):
    """Return an empty emulator."""
    with World(directory=tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def on_ministack(installed, assembly, tmp_path):
    """Return the stack in ministack, with the emulator's Rekognition, which ministack lacks."""
    rekognition = Rekognition(IN_A_HURRY)
    server = Ministack(tmp_path, AWS_ENDPOINT_URL_REKOGNITION=rekognition.endpoint).open()
    rekognition.open(server.client)
    deployer = Deployer(server.client, IN_A_HURRY)
    deployer.bootstrap()
    environment = server.environment() | {"AWS_ENDPOINT_URL_REKOGNITION": rekognition.endpoint}
    yield Scene(server.client, environment, deployer.deploy(assembly, STACK), rekognition.ledger)
    rekognition.close()
    server.close()


@pytest.fixture
def on_emulator(assembly, tmp_path):
    """Return the stack in the emulator's server."""
    with World(IN_A_HURRY, directory=tmp_path) as world:
        yield Scene(world.client, world.environment(), world.deploy(assembly, STACK), world.rekognition.ledger)


@pytest.fixture(params=["ministack", "emulator"])
def scene(request):
    """Return the stack in one server, then in the other."""
    return request.getfixturevalue(f"on_{request.param}")
