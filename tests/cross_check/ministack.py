"""ministack, an emulator of AWS by others, as a server of its own: what passes against ours alone is not proven.

It runs in an environment of its own (`.ministack/`, made by make) because it pins botocore. Its Lambda runs functions in processes
of that environment's Python, so boto3 is in there too.
"""

import socket
import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".ministack" / "bin" / "ministack"
ACCOUNT, REGION = "111122223333", "us-east-1"
STARTING_SECONDS = 60.0


class Ministack:
    """The server from `open` to `close`; everything that it writes goes below a directory.

    Attributes:
        endpoint: Its URL.
        log: Its output.
    """

    def __init__(self, directory, **environment):
        """Describe a server; `environment` are variables for it and for the functions that it runs."""
        self.log = directory / "ministack.log"
        self._directory = directory
        self._more = environment
        self._session = boto3.Session(ACCOUNT, "testing", region_name=REGION)  # it takes the access key for the account

    def open(self):
        """Start the server and wait until it answers."""
        port = _free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen([PROGRAM], env=self._environment(port), stdout=log, stderr=log)
        end = time.monotonic() + STARTING_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < end, self.log.read_text("utf-8")
            time.sleep(0.05)
        return self

    def close(self):
        """End the server."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def client(self, service):
        """Return a boto3 client."""
        return self._session.client(service, endpoint_url=self.endpoint, config=Config(proxies={}))

    def environment(self):
        """Return the variables with which any program that uses boto3 reaches this server, and nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }

    def _environment(self, port):
        return {
            "PATH": f"{PROGRAM.parent}:/usr/bin:/bin",
            "HOME": str(self._directory),
            "TMPDIR": str(self._directory),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "LAMBDA_EXECUTOR": "local",
            **self._more,
        }

    def _answers(self):
        try:
            with urlopen(f"{self.endpoint}/_ministack/health", timeout=5) as answer:
                return answer.status == 200
        except (URLError, ConnectionError):
            return False


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
